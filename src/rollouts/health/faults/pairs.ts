/** Faults of two columns: where they agree, what was copied, tempered or cut. */
import { change, each, HEALTHY, sampler, shift, sound, without, type Planted } from './fault';

export const PAIR_FAULTS: readonly Planted[] = [
  {
    id: 'shifted',
    what: 'sampler one ahead',
    fault: change((r) => ({ logpSampler: each(r, sampler(r), (part) => shift(part, 1)) })),
    says: /sampler.*one ahead/,
  },
  {
    id: 'shifted',
    what: 'sampler one behind',
    fault: change((r) => ({ logpSampler: each(r, sampler(r), (part) => shift(part, -1)) })),
    says: /sampler.*one behind/,
  },
  {
    id: 'shifted',
    what: 'old one ahead, told by the sampler',
    fault: change((r) => ({ logpOld: each(r, r.logpOld, (part) => shift(part, 1)) })),
    says: /old.*one ahead/,
  },
  {
    id: 'shifted',
    what: 'new one behind',
    fault: change((r) => ({ logpNew: each(r, r.logpNew, (part) => shift(part, -1)) })),
    says: /new.*one behind/,
  },
  {
    id: 'shifted',
    what: 'two columns cannot tell which',
    fault: (batch) => ({
      ...batch,
      rollouts: {
        ...without(batch.rollouts),
        logpNew: each(batch.rollouts, batch.rollouts.logpNew, (part) => shift(part, 1)),
      },
    }),
    says: /new.*one ahead.*or the old ones/,
  },
  ...[2, -2, 3].map((by): Planted => ({
    id: 'shifted',
    what: `sampler by ${by}`,
    fault: change((r) => ({ logpSampler: each(r, sampler(r), (part) => shift(part, by)) })),
    says: new RegExp(
      `sampler.*shifted by ${Math.abs(by) === 2 ? 'two' : 'three'} tokens.*${by > 0 ? 'ahead' : 'behind'}`,
    ),
  })),
  {
    id: 'shifted',
    what: 'every third response of old, filled up with 0',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part, i) => (i % 3 ? part : [0, ...part.slice(0, -1)])),
    })),
    says: /old.*shifted by one token.*one behind.*in 32 of 96 responses/,
  },
  {
    id: 'shifted',
    what: 'new from a token within on',
    fault: change((r) => ({
      logpNew: each(r, r.logpNew, (part) => [...part.slice(0, 10), ...shift(part.slice(10), 1)]),
    })),
    recipe: { engine: null },
    says: /new.*shifted by one token.*from somewhere within on/,
  },
  {
    id: 'shifted',
    what: 'both columns, told by the entropy',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part) => shift(part, 1)),
      logpNew: each(r, r.logpNew, (part) => shift(part, 1)),
    })),
    recipe: { engine: null, entropy: true, prompts: 24 },
    says: /shifted by one token against their entropies: they run one ahead/,
  },
  {
    id: 'shifted',
    what: 'both columns of four prompts, told by the entropy',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part) => shift(part, 1)),
      logpNew: each(r, r.logpNew, (part) => shift(part, 1)),
    })),
    recipe: { engine: null, entropy: true, prompts: 4 },
    says: /shifted by one token against their entropies: they run one ahead/,
  },
  {
    id: 'constant-offset',
    what: 'old less 3 at every token',
    fault: change((r) => ({ logpOld: r.logpOld.map((x) => x - 3) })),
    says: /are the (old|sampler) .* (plus|less) 3 nats/,
  },
  {
    id: 'unrelated-columns',
    what: 'responses in another order',
    fault: change((r) => ({ logpSampler: Float64Array.from(sampler(r)).reverse() })),
    says: 'not about the same tokens',
  },
  {
    id: 'unrelated-columns',
    what: 'new of other tokens, likely ones',
    fault: change((r, random) => ({
      logpNew: r.logpOld.map(() => -4 - 3 * random.uniform()),
    })),
    recipe: { sharpness: 3 },
    says: /not about the same tokens.*new .* find the tokens less likely/,
  },
  {
    id: 'unrelated-columns',
    what: 'one response in six of another',
    fault: change((r) => ({
      logpSampler: each(r, sampler(r), (part, i) => (i % 6 ? part : [...part].reverse())),
    })),
    says: /in 1\d of 96 responses/,
    recipe: { sharpness: 3 },
  },
  {
    id: 'copied-sampler',
    what: 'old is the sampler’s',
    fault: change((r) => ({ logpOld: sampler(r) })),
    says: 'copied',
  },
  {
    id: 'copied-sampler',
    what: 'the trainer’s one column is the sampler’s',
    fault: (batch) => {
      const { logpSampler, ...rest } = batch.rollouts;
      const logpOld = logpSampler ?? rest.logpOld;
      return {
        ...batch,
        rollouts: { ...rest, logpOld, logpNew: logpOld },
        facts: { ...batch.facts, compares: 'mismatch' },
      };
    },
    says: /no mismatch of the two engines can be seen/,
  },
  {
    id: 'copied-sampler',
    what: 'old is the sampler’s, in float32',
    fault: change((r) => ({ logpOld: sampler(r).map(Math.fround) })),
    says: 'rounded: copied',
  },
  {
    id: 'copied-sampler',
    what: 'old is the sampler’s in every second response',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part, i) =>
        i % 2 ? part : Array.from(sampler(r).subarray(r.offsets[i], r.offsets[i + 1])),
      ),
    })),
    says: /in 48 of 96 responses: copied/,
  },
  ...[0.6, 0.8, 1.25].map((temperature): Planted => ({
    id: 'temperature',
    what: `sampler at ${temperature}, trainer raw`,
    fault: (batch) => batch,
    recipe: { temperature, prompts: 24 },
    says: new RegExp(
      `temperature of about ${temperature < 1 ? `0\\.(${temperature * 10}|${temperature * 10 - 1}[5-9])` : '1\\.(19|2\\d|3[01])'}`,
    ),
  })),
  {
    id: 'temperature',
    what: 'sampler raw, trainer at 0.6',
    fault: (batch, seed) => {
      const { rollouts } = sound({ ...HEALTHY, prompts: 24, temperature: 0.6 }, seed);
      const { logpOld, logpSampler } = rollouts;
      return {
        ...batch,
        rollouts: {
          ...rollouts,
          logpOld: logpSampler as Float64Array,
          logpNew: (logpSampler as Float64Array).map((x) => x * 1.001),
          logpSampler: logpOld,
        },
      };
    },
    says: /temperature of about 0\.(5[6-9]|6[0-4])/,
    beside: ['clipping-always'],
  },
  ...[0.3, 0.8].map((temperature): Planted => ({
    id: 'temperature',
    what: `sampler at ${temperature}, of four prompts`,
    fault: (batch) => batch,
    recipe: { temperature, prompts: 4, lengths: [60, 90] },
    says: temperature === 0.3 ? /about 0\.[23]/ : /about 0\.(7[5-9]|8[0-4])/,
  })),
  {
    id: 'temperature',
    what: 'sampler at 0.6, of one prompt',
    fault: (batch) => batch,
    recipe: { temperature: 0.6, prompts: 1, lengths: [60, 90] },
    says: /temperature of about 0\.(5|6)/,
  },
  {
    id: 'impossible-reach',
    what: 'a sampler that says too little of every token',
    fault: change((r) => ({ logpSampler: sampler(r).map((x) => x - 0.05) })),
    says: 'impossible',
    beside: ['k1-negative'],
  },
  ...[0.9, 0.99].map((topP): Planted => ({
    id: 'truncation',
    what: `top-p ${topP}`,
    fault: (batch) => batch,
    recipe: { topP, prompts: 24 },
    says: 'truncated',
  })),
  {
    id: 'sampler-mismatch',
    what: 'an engine of low precision',
    fault: (batch) => batch,
    recipe: { engine: 0.15 },
    says: 'disagree',
  },
  {
    id: 'sampler-mismatch',
    what: 'at one step of twelve only',
    fault: (batch) =>
      change((r, random) => ({
        logpSampler: each(r, sampler(r), (part, i) =>
          Number(batch.step?.[i]) === 7
            ? part.map((x) => Math.min(0, x + 0.5 * random.normal()))
            : part,
        ),
      }))(batch, 0),
    recipe: { steps: 12, prompts: 36 },
    says: 'disagree',
    beside: ['impossible-reach'],
  },
  {
    id: 'k1-negative',
    what: 'the sampler’s column is of weights of before',
    fault: change((r, random) => ({
      logpSampler: r.logpOld.map((x) => Math.min(0, x - 0.012 + 0.03 * random.normal())),
    })),
    recipe: { sharpness: 2, prompts: 24 },
    says: 'negative',
    beside: ['impossible-reach'],
  },
  {
    id: 'routing-tails',
    what: 'one token in two hundred takes other experts',
    fault: change((r, random) => ({
      logpSampler: sampler(r).map((x) =>
        random.uniform() < 0.005 ? Math.min(0, x + 1.5 * random.normal()) : x,
      ),
    })),
    says: 'differ by more than 0.5 nats',
    beside: ['impossible-reach'],
  },
];
