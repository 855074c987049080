/**
 * Settings in an address: `#/PAGE?v=1&backend=wasm&alpha=0.5`. Only what differs from the defaults is
 * written; `source=synthetic` chooses the other source and its defaults.
 *
 * Contract: an address is hostile. Values pass the settings' schema or are refused, one by one, with a
 * sentence that names the key and keeps the default; unknown keys are named and otherwise ignored.
 * `v` is read: an address of a newer version is refused as a whole.
 */
import {
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  parseRunSettings,
  SettingsError,
  type RunSettings,
} from './settings';

export const LINK_VERSION = 1;
const MAX_LENGTH = 4096;

export interface OpenedLink {
  settings: RunSettings;
  /** sentences for a person; empty when the whole address was understood */
  problems: string[];
}

type Flat = Map<string, string | number>;

function flatten({ backend, source }: RunSettings): Flat {
  const { kind, ...rest } = source;
  return new Map<string, string | number>([
    ['backend', backend],
    ['source', kind],
    ...Object.entries(rest),
  ]);
}

function unflatten(flat: Flat): RunSettings {
  const rest = [...flat].filter(([key]) => key !== 'backend' && key !== 'source');
  return parseRunSettings({
    backend: flat.get('backend'),
    source: { kind: flat.get('source'), ...Object.fromEntries(rest) },
  });
}

/** The settings, or why they are none. */
function attempt(flat: Flat): RunSettings | string {
  try {
    return unflatten(flat);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
}

const defaultsFor = (kind: string | null): RunSettings =>
  kind === 'synthetic'
    ? { backend: DEFAULT_SETTINGS.backend, source: DEFAULT_SYNTHETIC }
    : DEFAULT_SETTINGS;

/** A number as people write it; the text itself where it is none, for the schema to refuse. */
function numberOf(text: string): number | string {
  return /^-?\d{1,15}(\.\d{1,15})?(e-?\d{1,3})?$/i.test(text) ? Number(text) : text;
}

/** @returns the part behind `#/PAGE`, empty when everything is at its default */
export function settingsToQuery(settings: RunSettings): string {
  const defaults = flatten(defaultsFor(settings.source.kind));
  const query = new URLSearchParams();
  for (const [key, value] of flatten(settings)) {
    const changed = key === 'source' ? value !== 'policies' : defaults.get(key) !== value;
    if (changed) query.set(key, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?v=${LINK_VERSION}&${text}`;
}

/** @param hash `location.hash` */
export function settingsFromHash(hash: string): OpenedLink {
  const at = hash.indexOf('?');
  if (at < 0) return { settings: DEFAULT_SETTINGS, problems: [] };
  if (hash.length > MAX_LENGTH) {
    return {
      settings: DEFAULT_SETTINGS,
      problems: [`The link is longer than ${MAX_LENGTH} characters; the defaults are used.`],
    };
  }
  const query = new URLSearchParams(hash.slice(at + 1));
  const version = query.get('v') ?? String(LINK_VERSION);
  if (version !== String(LINK_VERSION)) {
    return {
      settings: DEFAULT_SETTINGS,
      problems: [
        `The link is of version "${version.slice(0, 20)}"; this lab reads version ${LINK_VERSION}. ` +
          'The defaults are used.',
      ],
    };
  }
  const kind = query.get('source');
  const problems: string[] = [];
  const flat = flatten(defaultsFor(kind));
  if (kind !== null && kind !== flat.get('source')) {
    problems.push(
      `The link names a source "${kind.slice(0, 40)}"; there are policies and synthetic.`,
    );
  }
  const given: Flat = new Map();
  for (const [key, text] of query) {
    if (key === 'v' || key === 'source') continue;
    const fallback = flat.get(key);
    if (fallback === undefined) {
      problems.push(`The link has a setting "${key.slice(0, 40)}" that this lab does not know.`);
    } else {
      given.set(key, typeof fallback === 'number' ? numberOf(text) : text);
    }
  }
  // All at once, because a lower bound may pass only together with its upper one; one by one where
  // that fails, to name what is wrong and keep the rest.
  const together = attempt(new Map([...flat, ...given]));
  if (typeof together !== 'string') return { settings: together, problems };
  for (const [key, value] of given) {
    const alone = attempt(new Map(flat).set(key, value));
    if (typeof alone !== 'string') flat.set(key, value);
    else
      problems.push(
        `${alone} The link says "${String(value).slice(0, 40)}"; ${flat.get(key)} is used.`,
      );
  }
  return { settings: unflatten(flat), problems };
}
