/**
 * Rollouts as CSV, one line per response or one per token. Contract: generators of text, a few kilobytes at
 * a time, so that millions of tokens never stand in memory twice; `docs/run-format.md` describes the columns.
 */
import {
  type FloatArray,
  presentColumns,
  type Rollouts,
  sequenceCount,
  tokenText,
} from '../rollouts/rollouts';
import { csvHead, csvRow, numberCell, textCell } from './csv';
import type { Stamp } from './stamp';

const TEXTS = 'texts are JSON strings; pandas: pd.read_csv(file, comment="#")';

function mean(values: FloatArray, from: number, to: number): number {
  let sum = 0;
  for (let t = from; t < to; t++) sum += values[t];
  return sum / (to - from);
}

function responseText(rollouts: Rollouts, from: number, to: number): string {
  let text = '';
  for (let t = from; t < to; t++) text += tokenText(rollouts, t);
  return text;
}

/** Weights and entropies in float64 from the token columns; entropies in nats per token. */
export function* sequencesCsv(rollouts: Rollouts, stamp: Stamp): Generator<string> {
  const means = presentColumns(rollouts).filter(({ column }) =>
    /^(entropy|collision)/.test(column),
  );
  yield csvHead(`GSPO Lab, one line per response; ${TEXTS}`, stamp, [
    'sequence',
    'group',
    'prompt',
    'response',
    'length',
    'reward',
    'advantage',
    'finished',
    's',
    'log_s',
    'log_rho',
    'cross_entropy_old',
    'cross_entropy_new',
    'ppl_old',
    'ppl_new',
    ...means.map(({ name }) => `mean_${name}`),
  ]);
  for (let i = 0; i < sequenceCount(rollouts); i++) {
    const from = rollouts.offsets[i];
    const to = rollouts.offsets[i + 1];
    const group = rollouts.group[i];
    const old = -mean(rollouts.logpOld, from, to);
    const next = -mean(rollouts.logpNew, from, to);
    const logS = old - next;
    yield csvRow([
      String(i),
      String(group),
      textCell(rollouts.prompts[group] ?? ''),
      textCell(responseText(rollouts, from, to)),
      String(to - from),
      numberCell(rollouts.reward[i]),
      numberCell(rollouts.advantage[i]),
      String(rollouts.finished[i]),
      numberCell(Math.exp(logS)),
      numberCell(logS),
      numberCell(logS * (to - from)),
      numberCell(old),
      numberCell(next),
      numberCell(Math.exp(old)),
      numberCell(Math.exp(next)),
      ...means.map(({ values }) => numberCell(mean(values, from, to))),
    ]);
  }
}

export function* tokensCsv(rollouts: Rollouts, stamp: Stamp): Generator<string> {
  const columns = presentColumns(rollouts);
  yield csvHead(`GSPO Lab, one line per response token; ${TEXTS}`, stamp, [
    'sequence',
    'group',
    'position',
    'token_id',
    'token',
    ...columns.map(({ name }) => name),
    'log_ratio',
  ]);
  for (let i = 0; i < sequenceCount(rollouts); i++) {
    const from = rollouts.offsets[i];
    const to = rollouts.offsets[i + 1];
    let lines = '';
    for (let t = from; t < to; t++) {
      const id = rollouts.tokenIds[t];
      const known = id >= 0 || rollouts.tokenTexts !== undefined;
      lines += csvRow([
        String(i),
        String(rollouts.group[i]),
        // counted from 1, as in the paper
        String(t - from + 1),
        id >= 0 ? String(id) : '',
        known ? textCell(tokenText(rollouts, t)) : '',
        ...columns.map(({ values, single }) => numberCell(values[t], single)),
        numberCell(rollouts.logpNew[t] - rollouts.logpOld[t]),
      ]);
    }
    yield lines;
  }
}
