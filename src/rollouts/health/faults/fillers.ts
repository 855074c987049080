/** Padding, tool output, fillers, and tokens that nobody scored. */
import { change, each, sampler, type Batch, type Planted } from './fault';

/** Tokens put between those of each response, in all columns, as many as its length asks for. */
function insert(
  batch: Batch,
  count: number | ((length: number) => number),
  at: (length: number) => number,
  value = 0,
): Batch {
  const { rollouts } = batch;
  const more = (length: number) => (typeof count === 'number' ? count : count(length));
  const widen = (part: number[]) => {
    const place = at(part.length);
    const filled = new Array<number>(more(part.length)).fill(value);
    return [...part.slice(0, place), ...filled, ...part.slice(place)];
  };
  const column = (values: ArrayLike<number>) => each(rollouts, values, widen);
  let added = 0;
  return {
    ...batch,
    rollouts: {
      ...rollouts,
      offsets: rollouts.offsets.map((x, i, all) => {
        if (i > 0) added += more(x - all[i - 1]);
        return x + added;
      }),
      tokenIds: Int32Array.from(column(rollouts.tokenIds)),
      logpOld: column(rollouts.logpOld),
      logpNew: column(rollouts.logpNew),
      ...(rollouts.logpSampler ? { logpSampler: column(rollouts.logpSampler) } : {}),
    },
  };
}

export const FILLER_FAULTS: readonly Planted[] = [
  ...[2, 12].map((prompts): Planted => ({
    id: 'padding',
    what: `zeros up to the longest response, of ${prompts} prompts`,
    fault: (batch) =>
      insert(
        batch,
        (length) => 60 - length,
        (length) => length,
      ),
    recipe: { prompts },
    says: /padding or tool output.*at the tail/,
  })),
  {
    id: 'filler-run',
    what: 'all columns end in -50',
    fault: (batch) => insert(batch, 12, (length) => length, -50),
    says: /All columns are padded with -50 at the tail.*written for padding/,
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
    says: /old.*padded with -1 at the head.*begins late/,
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
    id: 'filler-run',
    what: 'both columns end in the log-prob of a uniform policy',
    fault: (batch) => {
      const { rollouts } = insert(batch, 12, (length) => length, -11.7613);
      return { ...batch, rollouts };
    },
    says: /All columns are padded with -11\.76/,
  },
];
