/**
 * The race's settings as a person reads and edits them: labels, and of the numbers hints and bounds; texts
 * are read by `readNumber`.
 */
import { fieldsOf } from '../../../src/link/pages';
import type { RaceView } from '../../../src/link/race';
import type { BackendChoice } from '../../../src/link/settings';
import type { FieldSpec } from '../../setup/fields';

export const BACKEND_NAMES: Record<BackendChoice, string> = {
  auto: 'automatic',
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
};

type NumberKeys = {
  [K in keyof RaceView]: RaceView[K] extends number ? K : never;
}[keyof RaceView];

interface Words {
  key: NumberKeys;
  label: string;
  symbol?: string;
  hint: string;
}

/** Bounds are read from the field, which says them in words that links show too. */
function spec({ key, ...words }: Words): FieldSpec<NumberKeys> {
  const may = fieldsOf('train').get(key)?.may ?? '';
  const range = /(a whole number|a number) from (\S+) to (\S+)/.exec(may);
  return {
    key,
    ...words,
    low: Number(range?.[2] ?? -Infinity),
    high: Number(range?.[3] ?? Infinity),
    whole: range?.[1] === 'a whole number',
  };
}

const group = (title: string, fields: readonly Words[]) => ({ title, fields: fields.map(spec) });

export const FIELD_GROUPS = [
  group('Rollouts of a step', [
    { key: 'steps', label: 'Steps', hint: 'of every racer' },
    { key: 'perStep', label: 'Prompts', hint: 'fresh ones in every step' },
    { key: 'group', label: 'Group size', symbol: 'G', hint: 'responses per prompt' },
    { key: 'heat', label: 'Temperature', hint: 'of the sampler' },
    { key: 'fewest', label: 'Fewest operators', hint: 'in a prompt' },
    { key: 'most', label: 'Most operators', hint: 'more operators, longer responses' },
    { key: 'longest', label: 'Longest response', hint: 'tokens' },
    { key: 'raceSeed', label: 'Seed', hint: 'the same for every racer' },
  ]),
  group('Updates', [
    { key: 'minibatches', label: 'Minibatches', hint: 'updates on the same rollouts: staleness' },
    { key: 'warmup', label: 'Warm-up', hint: 'steps of rising learning rate' },
    { key: 'clipNorm', label: 'Gradient clip', hint: 'largest norm of an update’s gradient' },
    { key: 'decay', label: 'Weight decay', hint: 'AdamW, on matrices' },
    { key: 'kl', label: 'KL penalty', hint: 'k3 towards the start; 0 is none' },
  ]),
  group('Held-out accuracy', [
    { key: 'evalEvery', label: 'Every', hint: 'steps' },
    { key: 'evalPrompts', label: 'Prompts', hint: '0 never evaluates' },
  ]),
] as const;

/** Settings with fields of their own. */
export const LABELS = {
  on: 'Backend',
  trained: 'Policy',
  from: 'Checkpoint',
  schedule: 'Schedule',
} as const satisfies Partial<Record<keyof RaceView, string>>;

/** Labels that need their group's title to be understood. */
const ALONE: Partial<Record<NumberKeys, string>> = {
  evalEvery: 'Held-out accuracy every',
  evalPrompts: 'Held-out prompts',
};

/** A setting's label where it stands alone, out of its group. */
export function labelAlone(key: NumberKeys | keyof typeof LABELS): string {
  if (key in LABELS) return LABELS[key as keyof typeof LABELS];
  const number = key as NumberKeys;
  const spec = FIELD_GROUPS.flatMap(({ fields }) => fields).find((field) => field.key === number);
  return ALONE[number] ?? spec?.label ?? number;
}
