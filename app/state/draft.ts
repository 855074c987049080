/**
 * The settings while a person edits them: every one as text. Contract: a draft becomes RunSettings only as
 * a whole, through the schema; until then each field carries its own sentence. Both sources keep their
 * values while the other one is chosen.
 */
import {
  DEFAULT_MODELS,
  DEFAULT_POLICIES,
  DEFAULT_SYNTHETIC,
  parseRunSettings,
  SettingsError,
  SOURCES,
  type BackendChoice,
  type ModelsSource,
  type PoliciesSource,
  type RunSettings,
  type SourceKind,
  type SyntheticSource,
} from '../../src/settings/run';
import { outOfOrder, readTyped, settingsOf } from '../../src/settings/setting';

type Texts<Source> = Record<Exclude<keyof Source, 'kind'>, string>;

export interface Draft {
  backend: BackendChoice;
  kind: SourceKind;
  policies: Texts<PoliciesSource>;
  synthetic: Texts<SyntheticSource>;
  models: Texts<ModelsSource>;
}

/** A sentence by setting; `settings`: what is wrong with them together */
export type Issues = Readonly<Record<string, string>>;

function textsOf<Source extends RunSettings['source']>(source: Source): Texts<Source> {
  const values: Readonly<Record<string, unknown>> = source;
  const texts = [...settingsOf(SOURCES[source.kind]).values()].map(({ key, write }) => [
    key,
    write(values[key]),
  ]);
  return Object.fromEntries(texts) as Texts<Source>;
}

export function draftOf({ source, backend }: RunSettings, before?: Draft): Draft {
  const { kind } = source;
  return {
    backend,
    kind,
    policies:
      kind === 'policies' ? textsOf(source) : (before?.policies ?? textsOf(DEFAULT_POLICIES)),
    synthetic:
      kind === 'synthetic' ? textsOf(source) : (before?.synthetic ?? textsOf(DEFAULT_SYNTHETIC)),
    models: kind === 'models' ? textsOf(source) : (before?.models ?? textsOf(DEFAULT_MODELS)),
  };
}

/** Settings where everything is valid, else null and a sentence per field. */
export function readDraft(draft: Draft): { settings: RunSettings | null; issues: Issues } {
  const issues: Record<string, string> = {};
  const source: Record<string, unknown> = { kind: draft.kind };
  const texts: Readonly<Record<string, string>> = draft[draft.kind];
  for (const setting of settingsOf(SOURCES[draft.kind]).values()) {
    const { key, shape, read, may } = setting;
    const text = texts[key] ?? '';
    if (shape.kind === 'number') {
      const reading = readTyped(setting, text);
      if ('issue' in reading) issues[key] = reading.issue;
      else source[key] = reading.value;
    } else {
      source[key] = read(text);
      if (source[key] === undefined) issues[key] = `Needs ${may}.`;
    }
  }
  const wrong = outOfOrder(SOURCES[draft.kind], source);
  if (wrong !== null) {
    const { low, high } = wrong;
    issues[high.key] = `Must not be less than “${low.label}”, ${low.write(source[low.key])}.`;
  }
  if (Object.keys(issues).length > 0) return { settings: null, issues };
  try {
    return { settings: parseRunSettings({ backend: draft.backend, source }), issues };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { settings: null, issues: { settings: error.message } };
  }
}
