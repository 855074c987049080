/**
 * A fault for each rule, planted in healthy data, with what its finding must say. Contract: deterministic; healthy
 * data is drawn once per recipe and seed and never changed.
 */
import { Random, STREAM } from '../../math/philox';
import {
  addColumn,
  impossibleColumn,
  ImpossibleError,
  type ImpossibleColumn,
} from '../file/impossible';
import type { Rollouts } from '../rollouts';
import type { HealthBatch } from './evidence/tally';
import { plant as draw, type Recipe } from './planted';
import { healthReport, type Finding, type RuleId } from './report';

/** The same data again and again: drawing it costs more than all rules together. */
const drawn = new Map<string, Batch>();
export function sound(recipe: Recipe, seed: number): Batch {
  const key = JSON.stringify([recipe, seed]);
  let batch = drawn.get(key);
  if (!batch) drawn.set(key, (batch = draw(recipe, seed)));
  return batch;
}

export const HEALTHY: Recipe = {
  prompts: 12,
  groupSize: 8,
  lengths: [20, 60],
  vocabulary: 24,
  sharpness: 4,
  update: 0.012,
  engine: 0.003,
  digits: 8,
  entropy: false,
  steps: 1,
};

export type Batch = HealthBatch & { rollouts: Rollouts };
export type Fault = (batch: Batch, seed: number) => Batch;

export const change =
  (make: (rollouts: Rollouts, random: Random) => Partial<Rollouts>): Fault =>
  (batch) => ({
    ...batch,
    rollouts: { ...batch.rollouts, ...make(batch.rollouts, new Random(9, STREAM.synthetic, 3)) },
  });

export const sampler = ({ logpSampler }: Rollouts) => logpSampler as Float64Array;

/** Values of each response by its own function of its tokens. */
export function each(
  { offsets }: Rollouts,
  values: ArrayLike<number>,
  make: (part: number[], i: number) => number[],
): Float64Array {
  const out: number[] = [];
  for (let i = 0; i + 1 < offsets.length; i++) {
    const part = Array.from({ length: (offsets[i + 1] ?? 0) - (offsets[i] ?? 0) }, (_, t) =>
      Number(values[(offsets[i] ?? 0) + t]),
    );
    out.push(...make(part, i));
  }
  return Float64Array.from(out);
}

/** Tokens put between those of each response, in all columns. */
function insert(batch: Batch, count: number, at: (length: number) => number, value = 0): Batch {
  const { rollouts } = batch;
  const widen = (part: number[]) => {
    const place = at(part.length);
    return [...part.slice(0, place), ...new Array<number>(count).fill(value), ...part.slice(place)];
  };
  const column = (values: ArrayLike<number>) => each(rollouts, values, widen);
  return {
    ...batch,
    rollouts: {
      ...rollouts,
      offsets: rollouts.offsets.map((x, i) => x + i * count),
      tokenIds: Int32Array.from(column(rollouts.tokenIds)),
      logpOld: column(rollouts.logpOld),
      logpNew: column(rollouts.logpNew),
      logpSampler: column(sampler(rollouts)),
    },
  };
}

function bf16(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  view.setUint32(0, (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
  return view.getFloat32(0);
}

export const shift = (part: number[], by: number) =>
  part.map((_, t) => part[(t + by + part.length) % part.length]);

const without = (rollouts: Rollouts): Rollouts => {
  const rest = { ...rollouts };
  delete rest.logpSampler;
  return rest;
};

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

export interface Planted {
  id: RuleId;
  what: string;
  fault: Fault;
  recipe?: Partial<Recipe>;
  /** what the finding must say */
  says?: string | RegExp;
  /** findings that may stand beside it */
  beside?: RuleId[];
}

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

export const PLANTED: Planted[] = [
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
    id: 'padding',
    what: 'zeros on the left',
    fault: (batch) => insert(batch, 12, () => 0),
    says: 'at the head',
  },
  {
    id: 'padding',
    what: 'zeros on the right',
    fault: (batch) => insert(batch, 12, (length) => length),
    says: 'at the tail',
  },
  {
    id: 'padding',
    what: 'a tool call in the middle, of a policy that is often sure',
    fault: (batch) => insert(batch, 30, (length) => length >> 1),
    recipe: { sharpness: 12, digits: 6 },
    says: 'within',
  },
  {
    id: 'filler-run',
    what: 'sampler log-probs that end early',
    fault: change((r) => ({
      logpSampler: each(r, sampler(r), (part, i) =>
        i % 2 ? part : part.map((x, t) => (t < part.length - 6 ? x : 0)),
      ),
    })),
    says: /sampler.*padded with 0 at the tail/,
  },
  {
    id: 'filler-run',
    what: 'old log-probs that begin with -1',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part) => part.map((x, t) => (t < 5 ? -1 : x))),
    })),
    says: /old.*padded with -1 at the head/,
  },
  {
    id: 'filler-run',
    what: 'sampler log-probs of every fifth response that were never written',
    fault: change((r) => ({
      logpSampler: each(r, sampler(r), (part, i) => (i % 5 ? part : part.map(() => 0))),
    })),
    says: /sampler.*0 throughout in 20 responses.*never filled in/,
  },
  {
    id: 'filler-value',
    what: 'a forbidden token',
    fault: change((r) => ({ logpNew: r.logpNew.map((x, t) => (t === 77 ? -9999 : x)) })),
    says: /1 log-prob is a filler \(-9999\), in the new/,
  },
  {
    id: 'filler-value',
    what: '-100 now and then',
    fault: change((r) => ({
      logpSampler: sampler(r).map((x, t) => (t % 40 === 7 ? -100 : x)),
    })),
    says: /fillers \(-100\), most of them in the sampler/,
  },
  {
    id: 'end-token',
    what: 'no log-prob for the last token',
    fault: change((r) => ({
      logpSampler: each(r, sampler(r), (part) => part.map((x, t) => (t < part.length - 1 ? x : 0))),
    })),
    says: /sampler.*no value for the last token/,
  },
  {
    id: 'end-token',
    what: 'no log-prob for the first token of a third of the responses',
    fault: change((r) => ({
      logpOld: each(r, r.logpOld, (part, i) => part.map((x, t) => (t > 0 || i % 3 ? x : 0))),
    })),
    says: /old.*no value for the first token/,
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
    id: 'end-zeros',
    what: 'all columns are shifted and filled up with 0',
    fault: change((r) => {
      const behind = (values: ArrayLike<number>) =>
        each(r, values, (part) => [0, ...part.slice(0, -1)]);
      return {
        logpOld: behind(r.logpOld),
        logpNew: behind(r.logpNew),
        logpSampler: behind(sampler(r)),
      };
    }),
    says: 'first token of 96 responses has exactly 0 in all columns',
  },
  {
    id: 'floor-value',
    what: 'log(p + 0.002) for the sampler',
    fault: change((r) => ({
      logpSampler: sampler(r).map((x) => Math.max(x, Math.log(0.02))),
    })),
    says: /lowest value, -3\.91, stands in the sampler/,
    recipe: { sharpness: 2 },
  },
  {
    id: 'floor-value',
    what: 'both columns, cut off',
    fault: change((r) => ({
      logpOld: r.logpOld.map((x) => Math.max(x, -4)),
      logpNew: r.logpNew.map((x) => Math.max(x, -4)),
    })),
    recipe: { engine: null, sharpness: 2 },
    says: /lowest value, -4, stands/,
  },
  {
    id: 'floor-value',
    what: '-30 at the last token',
    fault: change((r) => ({
      logpNew: each(r, r.logpNew, (part) => part.map((x, t) => (t < part.length - 1 ? x : -30))),
    })),
    says: /end of responses has -30 in the new.*nobody scored/,
  },
  {
    id: 'constant-offset',
    what: 'old less 3 at every token',
    fault: change((r) => ({ logpOld: r.logpOld.map((x) => x - 3) })),
    says: /are the (old|sampler) .* (plus|less) 3 nats/,
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
  {
    id: 'unrelated-columns',
    what: 'responses in another order',
    fault: change((r) => ({ logpSampler: Float64Array.from(sampler(r)).reverse() })),
    says: 'not about the same tokens',
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
    id: 'unlikely-tokens',
    what: 'far from the entropy that the file gives',
    fault: change((r) => ({
      logpOld: r.logpOld.map((x) => 2.5 * x),
      logpNew: r.logpNew.map((x) => 2.5 * x),
    })),
    recipe: { engine: null, entropy: true },
    says: 'less likely',
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
  {
    id: 'temperature',
    what: 'sampler at 0.6, of one prompt',
    fault: (batch) => batch,
    recipe: { temperature: 0.6, prompts: 1, lengths: [60, 90] },
    says: /temperature of about 0\.(5|6)/,
  },
  {
    id: 'overflow-token',
    what: 'one token of 60 in a small batch',
    fault: change((r) => ({ logpOld: r.logpOld.map((x, t) => (t === 123 ? x - 60 : x)) })),
    recipe: { prompts: 2, groupSize: 4 },
    says: /One token decides all sums/,
  },
  {
    id: 'advantage-sign',
    what: 'a cost for a reward, of one prompt',
    fault: change((r) => ({ advantage: r.advantage.map((x) => -x) })),
    recipe: { prompts: 1 },
    says: 'contradicts the rewards in 1 group',
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
  {
    id: 'duplicates',
    what: 'every line twice',
    fault: (batch) => {
      const { rollouts } = batch;
      const tokens = rollouts.logpOld.length;
      const twice = (x: ArrayLike<number>) =>
        Float64Array.from([...Array.from(x), ...Array.from(x)]);
      return {
        rollouts: {
          ...rollouts,
          offsets: Uint32Array.from([
            ...rollouts.offsets,
            ...[...rollouts.offsets.slice(1)].map((x) => x + tokens),
          ]),
          tokenIds: Int32Array.from(twice(rollouts.tokenIds)),
          logpOld: twice(rollouts.logpOld),
          logpNew: twice(rollouts.logpNew),
          logpSampler: twice(sampler(rollouts)),
          group: Uint32Array.from(twice(rollouts.group)),
          reward: twice(rollouts.reward),
          advantage: twice(rollouts.advantage),
          finished: new Uint8Array(2 * rollouts.group.length),
        },
        facts: { endKnown: new Uint8Array(2 * rollouts.group.length) },
      };
    },
    says: /96 responses of 192 are duplicates/,
    recipe: { sharpness: 2 },
  },
  {
    id: 'duplicates',
    what: 'a group again under another name',
    fault: (batch) => {
      const { rollouts } = batch;
      const logpOld = Float64Array.from(rollouts.logpOld);
      const logpNew = Float64Array.from(rollouts.logpNew);
      const { offsets } = rollouts;
      // Of the same length, so that the last group can be the first.
      for (const column of [logpOld, logpNew]) {
        column.copyWithin(offsets[88], offsets[0], offsets[8]);
      }
      return { ...batch, rollouts: { ...rollouts, logpOld, logpNew } };
    },
    recipe: { lengths: [40, 40], sharpness: 2, engine: null },
    says: /8 responses of 96 are duplicates/,
  },
  {
    id: 'uid-per-response',
    what: 'verl V1’s uid',
    fault: (batch) => alone(batch, (i) => `p${i >> 3}_${i % 8}_0`),
    says: 'uid',
  },
  {
    id: 'uid-per-response',
    what: 'a counter behind the prompt’s own',
    fault: (batch) => alone(batch, (i) => `traj_${i >> 3}_${i % 8}`),
    says: 'make 12 groups of up to 8',
  },
  {
    id: 'uid-per-response',
    what: 'a random uid beside the texts of the prompts',
    fault: (batch) => ({
      ...alone(batch, (i) => `${(i * 2654435761) % 2 ** 32}`),
      facts: { ...batch.facts, prompts: { groups: 96, texts: 12 } },
    }),
    says: 'prompts make 12 groups',
  },
  {
    id: 'group-of-one',
    what: 'a random uid, advantages of the trainer’s groups',
    fault: (batch) => {
      const { advantage } = batch.rollouts;
      const { rollouts, ...rest } = alone(batch, (i) => `${(i * 2654435761) % 2 ** 32}`);
      return { ...rest, rollouts: { ...rollouts, advantage } };
    },
    says: 'taken over other groups than these',
  },
  {
    id: 'group-of-one',
    what: 'a random uid',
    fault: (batch) => alone(batch, (i) => `${(i * 2654435761) % 2 ** 32}`),
    says: 'one response',
  },
  {
    id: 'advantage-sign',
    what: 'a cost for a reward',
    fault: change((r) => ({ advantage: r.advantage.map((x) => -x) })),
    says: 'contradicts the rewards',
  },
  {
    id: 'advantage-sign',
    what: 'every third group turned round',
    fault: change((r) => ({
      advantage: r.advantage.map((x, i) => (r.group[i] % 3 ? x : -x)),
    })),
    says: /contradicts the rewards in \d of 1\d groups|contradicts the rewards in \d groups/,
  },
  {
    id: 'advantage-order',
    what: 'advantages in another order of responses',
    fault: change((r) => ({
      advantage: r.advantage.map((_, i) => r.advantage[(i * 37 + 11) % r.advantage.length] ?? 0),
    })),
    says: 'do not follow from the rewards',
  },
  {
    id: 'advantage-size',
    what: 'a divisor of nearly 0',
    fault: change((r) => ({ advantage: r.advantage.map((x, i) => (i === 5 ? 4e4 : x)) })),
    says: 'impossible size',
    beside: ['advantage-sign'],
  },
  {
    id: 'advantages-zero',
    what: 'equal rewards',
    fault: change((r) => ({
      reward: r.reward.map(() => 1),
      advantage: r.advantage.map(() => 0),
    })),
    says: 'All advantages are 0',
  },
  {
    id: 'advantages-zero',
    what: 'one number for all',
    fault: change((r) => ({ advantage: r.advantage.map(() => 0.3) })),
    says: /All advantages are the same, 0\.3/,
  },
  {
    id: 'filler-run',
    what: 'both columns end in the log-prob of a uniform policy',
    fault: (batch) => {
      const { rollouts } = insert(batch, 12, (length) => length, -11.7613);
      return { ...batch, rollouts };
    },
    says: /padded with -11\.76/,
  },
  {
    id: 'no-signal',
    what: 'three groups of four are solved by all',
    fault: change((r) => ({ advantage: r.advantage.map((x, i) => ((i >> 3) % 4 ? 0 : x)) })),
    says: 'no signal',
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
    id: 'cut',
    what: 'a third at the limit',
    fault: (batch) => ({
      ...change((r) => ({ finished: r.finished.map((_, i) => (i % 3 ? 1 : 0)) }))(batch, 0),
      facts: { endKnown: new Uint8Array(batch.rollouts.group.length).fill(1) },
    }),
    says: '33.3 %',
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
];

function alone(batch: Batch, name: (i: number) => string): Batch {
  const n = batch.rollouts.group.length;
  return {
    ...batch,
    groupIds: Array.from({ length: n }, (_, i) => name(i)),
    rollouts: {
      ...batch.rollouts,
      group: Uint32Array.from({ length: n }, (_, i) => i),
      advantage: new Float64Array(n),
      prompts: Array.from({ length: n }, (_, i) => name(i)),
    },
  };
}

/** What the report says of a planted fault: its finding, and findings that have no business there. */
export function findingsOf({ id, fault, recipe, beside = [] }: Planted, seed: number) {
  const { findings } = healthReport(fault(sound({ ...HEALTHY, ...recipe }, seed), seed));
  return {
    found: findings.find((one) => one.id === id) ?? null,
    others: findings.filter((one) => one.id !== id && !beside.includes(one.id)),
  } satisfies { found: Finding | null; others: Finding[] };
}
