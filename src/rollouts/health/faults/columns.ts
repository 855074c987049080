/** Faults of one column: sums, another unit, few digits, values that no log-prob has. */
import { Random, STREAM } from '../../../math/philox';
import {
  addColumn,
  impossibleColumn,
  ImpossibleError,
  type ImpossibleColumn,
} from '../../file/impossible';
import { change, each, sampler, without, type Batch, type Fault, type Planted } from './fault';

/** Responses that an import left out, as it tells of them. */
const leftOut =
  (made: (x: number) => number): Fault =>
  (batch) => {
    const { rollouts } = batch;
    const columns = new Map<string, ImpossibleColumn>();
    const isBad = (x: number) => x > 1e-5;
    each(rollouts, rollouts.logpOld, (part, i) => {
      if (i % 4 > 0) return [];
      const values = Float64Array.from(part, made);
      const error = new ImpossibleError('old_log_probs', { values, places: values, isBad });
      addColumn(columns, impossibleColumn(error, { at: null, step: null, group: 'p0' }));
      return [];
    });
    return { ...batch, facts: { ...batch.facts, impossible: [...columns.values()] } };
  };

function bf16(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  view.setUint32(0, (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
  return view.getFloat32(0);
}

function onePerResponse(batch: Batch, make: (part: readonly number[]) => number): Batch {
  const { rollouts } = batch;
  const one = (values: ArrayLike<number>) => each(rollouts, values, (part) => [make(part)]);
  return {
    ...batch,
    rollouts: {
      ...without(rollouts),
      offsets: rollouts.offsets.map((_, i) => i),
      tokenIds: new Int32Array(rollouts.group.length),
      logpOld: one(rollouts.logpOld),
      logpNew: one(rollouts.logpNew),
    },
  };
}

export const COLUMN_FAULTS: readonly Planted[] = [
  {
    id: 'impossible-values',
    what: 'probabilities of a quarter of the responses',
    fault: leftOut(Math.exp),
    says: /"old_log_probs" holds probabilities.*natural logarithm.*in 24 responses of 120/,
  },
  {
    id: 'impossible-values',
    what: 'negated log-probs',
    fault: leftOut((x) => -x),
    says: /negated log-probs.*with a minus/,
  },
  {
    id: 'impossible-values',
    what: 'logits',
    fault: leftOut((x) => x + 14),
    says: /holds logits.*log_softmax/,
  },
  {
    id: 'sequence-sums',
    what: 'one mean per response',
    fault: (batch) =>
      onePerResponse(batch, (part) => part.reduce((a, b) => a + b, 0) / part.length),
    says: 'mean',
  },
  {
    id: 'sequence-sums',
    what: 'one sum per response',
    fault: (batch) => onePerResponse(batch, (part) => part.reduce((a, b) => a + b, 0)),
    says: 'sums',
  },
  {
    id: 'cumulative',
    what: 'running sums',
    fault: change((r) => {
      const running = (values: ArrayLike<number>) =>
        each(r, values, (part) => {
          let sum = 0;
          return part.map((x) => (sum += x));
        });
      return { logpOld: running(r.logpOld), logpNew: running(r.logpNew) };
    }),
    says: 'cumulative',
  },
  {
    id: 'cumulative',
    what: 'sums of what is still to come, of old',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part) => {
        let sum = 0;
        return [...part]
          .reverse()
          .map((x) => (sum += x))
          .reverse();
      }),
    })),
    says: /old.*from the end/,
  },
  {
    id: 'cumulative',
    what: 'averages of what came so far',
    fault: change((r) => {
      const running = (values: ArrayLike<number>) =>
        each(r, values, (part) => {
          let sum = 0;
          return part.map((x, t) => (sum += x) / (t + 1));
        });
      return { logpOld: running(r.logpOld), logpNew: running(r.logpNew) };
    }),
    says: 'running averages',
  },
  {
    id: 'sequence-value-per-token',
    what: 'the mean of the response at each token',
    fault: change((r) => {
      const spread = (values: ArrayLike<number>) =>
        each(r, values, (part) => part.map(() => part.reduce((a, b) => a + b, 0) / part.length));
      return { logpOld: spread(r.logpOld), logpNew: spread(r.logpNew) };
    }),
    says: 'one value',
  },
  {
    id: 'logarithm-base',
    what: 'sampler in base 2',
    fault: change((r) => ({ logpSampler: sampler(r).map((x) => x / Math.LN2) })),
    says: 'base 2',
  },
  {
    id: 'logarithm-base',
    what: 'sampler in base 10',
    fault: change((r) => ({ logpSampler: sampler(r).map((x) => x / Math.LN10) })),
    says: 'base 10',
  },
  {
    id: 'logarithm-base',
    what: 'both columns in base 2, told by the entropy',
    fault: change((r) => ({
      logpOld: r.logpOld.map((x) => x / Math.LN2),
      logpNew: r.logpNew.map((x) => x / Math.LN2),
    })),
    recipe: { engine: null, entropy: true },
    says: 'base 2',
  },
  {
    id: 'logarithm-base',
    what: 'both columns of four prompts in base 10, told by the entropy',
    fault: change((r) => ({
      logpOld: r.logpOld.map((x) => x / Math.LN10),
      logpNew: r.logpNew.map((x) => x / Math.LN10),
    })),
    recipe: { engine: null, entropy: true, prompts: 4 },
    says: 'base 10',
  },
  ...([0.5, 2, 1.6] as const).map((factor): Planted => ({
    id: 'logarithm-base',
    what: `new times ${factor}`,
    fault: change((r) => ({ logpNew: r.logpNew.map((x) => x * factor) })),
    says: `times ${factor}`,
  })),
  {
    id: 'unlikely-tokens',
    what: 'log-probs of the token’s own position',
    fault: (batch) => {
      const random = new Random(4, STREAM.synthetic, 5);
      const { rollouts } = batch;
      const logpOld = rollouts.logpOld.map(() => -12 - 8 * random.uniform());
      return {
        ...batch,
        rollouts: {
          ...without(rollouts),
          logpOld,
          logpNew: logpOld.map((x) => x + 0.01 * random.normal()),
        },
      };
    },
    says: 'less likely',
  },
  ...(['logpNew', 'logpSampler'] as const).map((column): Planted => ({
    id: 'unlikely-tokens',
    what: `${column} of the token’s own position`,
    fault: change((r, random) => ({
      [column]: r.logpOld.map(() => -9 - 4 * random.uniform()),
    })),
    says: column === 'logpNew' ? /new.*own position/ : /sampler.*own position/,
  })),
  {
    id: 'unlikely-tokens',
    what: 'far from the entropy that the file gives',
    fault: change((r) => ({
      logpOld: r.logpOld.map((x) => 2.5 * x),
      logpNew: r.logpNew.map((x) => 2.5 * x),
    })),
    recipe: { engine: null, entropy: true },
    says: 'less likely',
  },
  {
    id: 'precision',
    what: 'old in bfloat16',
    fault: change((r) => ({ logpOld: r.logpOld.map(bf16) })),
    says: /old log-probs.*bfloat16/,
  },
  {
    id: 'precision',
    what: 'new with three decimals',
    fault: change((r) => ({ logpNew: r.logpNew.map((x) => Math.round(x * 1e3) / 1e3) })),
    says: /new log-probs.*3 decimals/,
  },
  {
    id: 'precision',
    what: 'all in float16',
    fault: change((r) => {
      const half = (x: number) => {
        const step = 2 ** (Math.floor(Math.log2(Math.max(1e-4, -x))) - 10);
        return Math.round(x / step) * step;
      };
      return { logpOld: r.logpOld.map(half), logpNew: r.logpNew.map(half) };
    }),
    says: 'float16',
  },
];
