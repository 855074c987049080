/** Faults of ratios, and of a mismatch that grows over the steps. */
import { change, each, sampler, type Planted } from './fault';

export const RATIO_FAULTS: readonly Planted[] = [
  {
    id: 'overflow-token',
    what: 'one token of 60 in a small batch',
    fault: change((r) => ({ logpOld: r.logpOld.map((x, t) => (t === 123 ? x - 60 : x)) })),
    recipe: { prompts: 2, groupSize: 4 },
    says: /One token decides all sums/,
  },
  {
    id: 'overflow-token',
    what: 'one token of 200',
    fault: change((r) => ({ logpOld: r.logpOld.map((x, t) => (t === 1234 ? x - 200 : x)) })),
    says: 'One token overflows',
    recipe: { engine: null },
  },
  {
    id: 'overflow-token',
    what: 'one token of -120 in the sampler’s column',
    fault: change((r) => ({ logpSampler: sampler(r).map((x, t) => (t === 1234 ? -120.5 : x)) })),
    says: /between sampler and trainer.*stands in the sampler log-probs/,
  },
  {
    id: 'overflow-token',
    what: 'one token of -33 in the old column',
    fault: change((r) => ({ logpOld: r.logpOld.map((x, t) => (t === 1234 ? -33.25 : x)) })),
    says: /stands in the old log-probs/,
  },
  {
    id: 'infinite-loss',
    what: 'a drift over long responses',
    fault: change((r) => ({
      logpNew: r.logpNew.map((x) => Math.min(0, x)),
      logpOld: r.logpOld.map((x, t) => x - 2.5 - (t % 2)),
    })),
    recipe: { engine: null, lengths: [40, 60] },
    says: 'infinite',
    beside: ['clipping-always', 'explosion'],
  },
  {
    id: 'on-policy',
    what: 'old = new',
    fault: change((r) => ({ logpNew: r.logpOld })),
    says: 'All ratios are 1',
  },
  {
    id: 'on-policy-noise',
    what: 'other micro-batches',
    fault: change((r, random) => ({
      logpNew: r.logpOld.map((x) => Math.min(0, x + 3e-4 * random.normal())),
    })),
    says: 'noise',
  },
  {
    id: 'on-policy-noise',
    what: 'other micro-batches, of two prompts',
    fault: change((r, random) => ({
      logpNew: r.logpOld.map((x) => Math.min(0, x + 3e-4 * random.normal())),
    })),
    recipe: { prompts: 2 },
    says: 'noise',
  },
  {
    id: 'explosion',
    what: 'wide ratios over long responses',
    fault: change((r, random) => ({
      logpNew: r.logpOld.map((x) => Math.min(0, x + 0.4 * random.normal())),
    })),
    recipe: { lengths: [10, 120] },
    says: 'explode',
    beside: ['clipping-always'],
  },
  {
    id: 'clipping-always',
    what: 'a band for other steps',
    fault: change((r) => ({ logpNew: r.logpOld.map((x) => x - 0.01) })),
    says: 'nearly always',
  },
  {
    id: 'clipping-never',
    what: 'an update of nothing',
    fault: change((r) => ({ logpNew: r.logpOld.map((x) => x - 5e-5) })),
    says: 'never',
  },
  {
    id: 'growing-mismatch',
    what: 'from step 8 on',
    fault: (batch) =>
      change((r, random) => ({
        logpSampler: each(r, sampler(r), (part, i) => {
          const step = Number(batch.step?.[i]);
          const size = step < 8 ? 0 : 0.02 * (step - 7);
          return part.map((x) => Math.min(0, x + size * random.normal()));
        }),
      }))(batch, 0),
    recipe: { steps: 12, prompts: 36 },
    says: 'from step 8 on',
  },
];
