/**
 * A whole run as one JSON document, `docs/run-format.md`: a head, then one record per response in the format
 * of `docs/export/README.md` with the lab's own columns besides. Contract: reading the document (`rollouts/file/formats/run.ts`)
 * gives the same `Rollouts`, bit for bit; any reader of rollout files reads it too.
 */
import { presentColumns, type Rollouts, sequenceCount, tokenText } from '../rollouts/rollouts';
import { float32Text } from './csv';
import { RUN_FORMAT, RUN_FORMAT_VERSION, type RunFileHead } from '../rollouts/file/formats/run';

export type { RunFileHead };

/** JSON has no NaN and no infinities. */
const jsonNumber = (x: number, single: boolean) => {
  if (!Number.isFinite(x)) return 'null';
  if (Object.is(x, -0)) return '-0';
  return single ? float32Text(x) : String(x);
};

function list(values: ArrayLike<number>, from: number, to: number, single: boolean): string {
  let text = '[';
  for (let t = from; t < to; t++) {
    text += `${t > from ? ',' : ''}${jsonNumber(values[t], single)}`;
  }
  return `${text}]`;
}

export function* runJson(
  rollouts: Rollouts,
  { name, stamp, totalSequences }: RunFileHead,
): Generator<string> {
  const columns = presentColumns(rollouts);
  const head = {
    format: RUN_FORMAT,
    version: RUN_FORMAT_VERSION,
    kind: 'rollouts',
    name,
    stamp,
    totalSequences,
    precision: Object.fromEntries(
      columns.map((column) => [column.name, column.single ? 'float32' : 'float64']),
    ),
    vocabulary: rollouts.vocabulary ?? null,
  };
  // Everything but the closing brace; one key per line, so that the head can be read by eye.
  const keys = Object.entries(head).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
  yield `{\n${keys.join(',\n')},\n"rollouts": [\n`;
  const n = sequenceCount(rollouts);
  for (let i = 0; i < n; i++) {
    const from = rollouts.offsets[i];
    const to = rollouts.offsets[i + 1];
    const group = rollouts.group[i];
    const hasIds = to > from && rollouts.tokenIds.subarray(from, to).every((id) => id >= 0);
    const hasTexts = rollouts.tokenTexts !== undefined || (hasIds && rollouts.vocabulary);
    const texts = hasTexts
      ? Array.from({ length: to - from }, (_, k) => tokenText(rollouts, from + k))
      : null;
    const fields = [
      `"group":${group}`,
      `"prompt":${JSON.stringify(rollouts.prompts[group] ?? '')}`,
      ...(texts === null ? [] : [`"response":${JSON.stringify(texts.join(''))}`]),
      `"reward":${jsonNumber(rollouts.reward[i], false)}`,
      `"advantage":${jsonNumber(rollouts.advantage[i], false)}`,
      `"meta":{"finish_reason":"${rollouts.finished[i] === 1 ? 'stop' : 'length'}"}`,
      ...(hasIds ? [`"token_ids":${list(rollouts.tokenIds, from, to, false)}`] : []),
      ...(texts === null ? [] : [`"tokens":${JSON.stringify(texts)}`]),
      ...columns.map(
        (column) => `"${column.name}":${list(column.values, from, to, column.single)}`,
      ),
    ];
    yield `{${fields.join(',')}}${i < n - 1 ? ',' : ''}\n`;
  }
  yield ']\n}\n';
}
