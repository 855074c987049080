/**
 * The settings while a person edits them: every number as the text that was typed. Contract: a draft
 * becomes RunSettings only as a whole, through the schema; until then each field carries its own
 * sentence. Both sources keep their values while the other one is chosen.
 */
import {
  DEFAULT_POLICIES,
  DEFAULT_SYNTHETIC,
  parseRunSettings,
  SettingsError,
  type BackendChoice,
  type PoliciesSource,
  type RunSettings,
  type SyntheticSource,
} from '../../src/link/settings';
import {
  POLICIES_FIELDS,
  readNumber,
  SYNTHETIC_FIELDS,
  type FieldSpec,
  type PoliciesField,
  type SyntheticField,
} from './fields';

export type SourceKind = RunSettings['source']['kind'];

export interface Draft {
  backend: BackendChoice;
  kind: SourceKind;
  policies: Record<PoliciesField, string> & Pick<PoliciesSource, 'policy' | 'old' | 'new'>;
  synthetic: Record<SyntheticField, string> & Pick<SyntheticSource, 'lengthShape'>;
}

export type Issues = Partial<Record<PoliciesField | SyntheticField | 'settings', string>>;

const POLICIES_KEYS: readonly PoliciesField[] = Object.values(POLICIES_FIELDS).map((f) => f.key);
const SYNTHETIC_KEYS: readonly SyntheticField[] = Object.values(SYNTHETIC_FIELDS).map((f) => f.key);

function textsOf<K extends string>(
  keys: readonly K[],
  values: Record<K, number>,
): Record<K, string> {
  const texts: Partial<Record<K, string>> = {};
  for (const key of keys) texts[key] = String(values[key]);
  return texts as Record<K, string>;
}

export function draftOf(settings: RunSettings, before?: Draft): Draft {
  const { source, backend } = settings;
  const policies = source.kind === 'policies' ? source : DEFAULT_POLICIES;
  const synthetic = source.kind === 'synthetic' ? source : DEFAULT_SYNTHETIC;
  const fresh: Draft = {
    backend,
    kind: source.kind,
    policies: {
      ...textsOf(POLICIES_KEYS, policies),
      policy: policies.policy,
      old: policies.old,
      new: policies.new,
    },
    synthetic: { ...textsOf(SYNTHETIC_KEYS, synthetic), lengthShape: synthetic.lengthShape },
  };
  if (before === undefined) return fresh;
  return source.kind === 'policies'
    ? { ...fresh, synthetic: before.synthetic }
    : { ...fresh, policies: before.policies };
}

function readAll<K extends PoliciesField | SyntheticField>(
  fields: { [P in K]: FieldSpec<P> },
  keys: readonly K[],
  texts: Record<K, string>,
  issues: Issues,
): Record<K, number> {
  const values: Partial<Record<K, number>> = {};
  for (const key of keys) {
    const reading = readNumber(fields[key], texts[key]);
    if ('issue' in reading) issues[key] = reading.issue;
    else values[key] = reading.value;
  }
  return values as Record<K, number>;
}

/** Settings where everything is valid, else null and a sentence per field. */
export function readDraft(draft: Draft): { settings: RunSettings | null; issues: Issues } {
  const issues: Issues = {};
  let source: unknown;
  if (draft.kind === 'policies') {
    const numbers = readAll(POLICIES_FIELDS, POLICIES_KEYS, draft.policies, issues);
    if (numbers.minOperators > numbers.maxOperators) {
      issues.maxOperators = `Must not be less than the fewest, ${numbers.minOperators}.`;
    }
    source = { ...draft.policies, ...numbers, kind: 'policies' };
  } else {
    const numbers = readAll(SYNTHETIC_FIELDS, SYNTHETIC_KEYS, draft.synthetic, issues);
    if (numbers.minLength > numbers.maxLength) {
      issues.maxLength = `Must not be less than the shortest, ${numbers.minLength}.`;
    }
    source = { ...draft.synthetic, ...numbers, kind: 'synthetic' };
  }
  if (Object.keys(issues).length > 0) return { settings: null, issues };
  try {
    return { settings: parseRunSettings({ backend: draft.backend, source }), issues };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { settings: null, issues: { settings: error.message } };
  }
}

export interface Difference {
  name: string;
  before: string;
  after: string;
}

const PLAIN_LABELS: Record<string, string> = {
  kind: 'source',
  policy: 'policy',
  old: 'π_old',
  new: 'π_θ',
  lengthShape: 'length shape',
};

function labelOf(key: string): string {
  const field =
    Object.values(POLICIES_FIELDS).find((f) => f.key === key) ??
    Object.values(SYNTHETIC_FIELDS).find((f) => f.key === key);
  return PLAIN_LABELS[key] ?? field?.symbol ?? field?.label.toLowerCase() ?? key;
}

/** What would change: "α 1 → 0.5". Sources of different kinds differ in their kind only. */
export function differences(before: RunSettings, after: RunSettings): Difference[] {
  const found: Difference[] = [];
  if (before.backend !== after.backend) {
    found.push({ name: 'backend', before: before.backend, after: after.backend });
  }
  if (before.source.kind !== after.source.kind) {
    found.push({ name: 'source', before: before.source.kind, after: after.source.kind });
    return found;
  }
  const old = new Map(Object.entries(before.source));
  for (const [key, value] of Object.entries(after.source)) {
    const was = old.get(key);
    if (was !== value) {
      found.push({ name: labelOf(key), before: String(was), after: String(value) });
    }
  }
  return found;
}
