/** What the tests of files from the field share: trainers' names, files of faults that are planted, and the report. */
import type { Rollouts } from '../rollouts';
import { fromBlob } from '../file/bytes';
import { readRolloutFiles } from '../file/read';
import { PLANTED } from './faults';
import { HEALTHY, sound } from './faults/fault';
import { healthReport, type RuleId } from './report';

export interface Names {
  old: string;
  new: string;
  sampler: string;
  group: string;
}
export const TRL: Names = {
  old: 'old_per_token_logps',
  new: 'per_token_logps',
  sampler: 'sampling_per_token_logps',
  group: 'group',
};
export const VERL: Names = {
  old: 'old_log_probs',
  new: 'log_probs',
  sampler: 'rollout_log_probs',
  group: 'uid',
};

export type Line = Record<string, unknown>;

export function linesOf(
  batch: { rollouts: Rollouts; groupIds?: readonly (string | number)[]; step?: ArrayLike<number> },
  names: Names,
  more: (i: number, length: number) => Line = () => ({}),
): Line[] {
  const { rollouts: r, groupIds } = batch;
  return Array.from(r.group, (g, i) => {
    const part = (values: ArrayLike<number>) =>
      Array.from(values).slice(r.offsets[i], r.offsets[i + 1]);
    return {
      step: 10,
      [names.group]: groupIds?.[g] ?? g,
      [names.old]: part(r.logpOld),
      [names.new]: part(r.logpNew),
      ...(r.logpSampler ? { [names.sampler]: part(r.logpSampler) } : {}),
      advantage: r.advantage[i],
      reward: r.reward[i],
      ...more(i, (r.offsets[i + 1] ?? 0) - (r.offsets[i] ?? 0)),
    };
  });
}

export const jsonl = (lines: readonly Line[]) =>
  lines.map((line) => JSON.stringify(line)).join('\n');

export async function findings(files: Record<string, string | Uint8Array<ArrayBuffer>>) {
  const data = await readRolloutFiles(
    Object.entries(files).map(([name, content]) => fromBlob(name, new Blob([content]))),
  );
  const report = healthReport(data);
  return { data, report, ids: report.findings.map(({ id }) => id) };
}

export const planted = (id: RuleId, what: string) => {
  const found = PLANTED.find((one) => one.id === id && one.what === what);
  if (!found) throw new Error(`no planted fault ${id}: ${what}`);
  return found.fault(sound({ ...HEALTHY, ...found.recipe }, 31), 31);
};

export const HEALTHY_BATCH = sound(HEALTHY, 31);
