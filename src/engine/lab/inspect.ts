/** Sequences and tokens for people: every number on the page can be traced to these. */
import { sequenceCount, tokenText, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import { walkOf } from '../../tasks/maze';
import type { SequenceDetail, SequenceQuery, SequenceSummary } from './protocol';

function mean(values: FloatArray, from: number, to: number): number {
  let sum = 0;
  for (let t = from; t < to; t++) sum += values[t] as number;
  return sum / (to - from);
}

function summary(rollouts: Rollouts, index: number): SequenceSummary {
  const from = rollouts.offsets[index] as number;
  const to = rollouts.offsets[index + 1] as number;
  const group = rollouts.group[index] as number;
  let response = '';
  for (let t = from; t < to; t++) response += tokenText(rollouts, t);
  return {
    index,
    group,
    prompt: rollouts.prompts[group] ?? '',
    response,
    length: to - from,
    reward: rollouts.reward[index] as number,
    advantage: rollouts.advantage[index] as number,
    finished: rollouts.finished[index] === 1,
    logWeight: mean(rollouts.logpNew, from, to) - mean(rollouts.logpOld, from, to),
  };
}

/** Sequences with low <= s < high, most deviating from s = 1 first, and how many there are. */
export function findSequences(
  rollouts: Rollouts,
  { low, high, limit }: SequenceQuery,
): { sequences: SequenceSummary[]; total: number } {
  const inside: { index: number; distance: number }[] = [];
  for (let index = 0; index < sequenceCount(rollouts); index++) {
    const from = rollouts.offsets[index] as number;
    const to = rollouts.offsets[index + 1] as number;
    if (to === from) continue;
    const log = mean(rollouts.logpNew, from, to) - mean(rollouts.logpOld, from, to);
    const s = Math.exp(log);
    if (s >= low && s < high) inside.push({ index, distance: Math.abs(log) });
  }
  inside.sort((a, b) => b.distance - a.distance || a.index - b.index);
  return {
    sequences: inside.slice(0, limit).map(({ index }) => summary(rollouts, index)),
    total: inside.length,
  };
}

export function sequenceDetail(rollouts: Rollouts, index: number): SequenceDetail {
  if (!Number.isInteger(index) || index < 0 || index >= sequenceCount(rollouts)) {
    throw new Error(`There is no sequence ${index}; this run has ${sequenceCount(rollouts)}.`);
  }
  const from = rollouts.offsets[index] as number;
  const to = rollouts.offsets[index + 1] as number;
  const { entropyOld, entropyNew } = rollouts;
  let sum = 0;
  const tokens = Array.from({ length: to - from }, (_, i) => {
    const t = from + i;
    const logpOld = rollouts.logpOld[t] as number;
    const logpNew = rollouts.logpNew[t] as number;
    sum += logpNew - logpOld;
    return {
      text: tokenText(rollouts, t),
      id: rollouts.tokenIds[t] as number,
      logpOld,
      logpNew,
      logRatio: logpNew - logpOld,
      runningMean: sum / (i + 1),
      entropyOld: entropyOld?.[t] ?? null,
      entropyNew: entropyNew?.[t] ?? null,
    };
  });
  const about = summary(rollouts, index);
  const walk = walkOf(about.prompt, about.response);
  return {
    ...about,
    ...(walk ? { walk } : {}),
    tokens,
    crossEntropyOld: -mean(rollouts.logpOld, from, to),
    crossEntropyNew: -mean(rollouts.logpNew, from, to),
    shannonOld: entropyOld ? mean(entropyOld, from, to) : null,
    shannonNew: entropyNew ? mean(entropyNew, from, to) : null,
  };
}
