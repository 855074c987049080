/**
 * What the setup panel shows for each number of the settings, and how text becomes a number.
 * Contract: bounds are read from the settings' schema, never repeated here; a text that is no valid
 * value yields a sentence naming what the field may be.
 */
import {
  policiesSourceSchema,
  syntheticSourceSchema,
  type PoliciesSource,
  type SyntheticSource,
} from '../../src/link/settings';

type NumberKeys<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T];
export type PoliciesField = NumberKeys<PoliciesSource>;
export type SyntheticField = NumberKeys<SyntheticSource>;

export interface FieldSpec<Key extends string> {
  key: Key;
  label: string;
  /** the paper's symbol, where it has one */
  symbol?: string;
  hint: string;
  low: number;
  high: number;
  whole: boolean;
  /** 0 is allowed besides low .. high, and means this */
  zeroMeans?: string;
}

interface Piped {
  pipe: readonly { type: string; requirement?: unknown }[];
}

/** Bounds of a schema made of `number`, `minValue`, `maxValue`. */
function boundsOf(schema: Piped): { low: number; high: number; whole: boolean } {
  const requirement = (type: string, otherwise: number) => {
    const found = schema.pipe.find((action) => action.type === type)?.requirement;
    return typeof found === 'number' ? found : otherwise;
  };
  return {
    low: requirement('min_value', -Infinity),
    high: requirement('max_value', Infinity),
    whole: schema.pipe.some((action) => action.type === 'safe_integer'),
  };
}

const p = policiesSourceSchema.entries;
const s = syntheticSourceSchema.entries;

export const POLICIES_FIELDS: { [K in PoliciesField]: FieldSpec<K> } = {
  alpha: {
    key: 'alpha',
    label: 'Distance',
    symbol: 'α',
    hint: 'θ = θ_old + α (θ_new − θ_old): 0 is the old policy, 1 the new one',
    ...boundsOf(p.alpha),
  },
  prompts: {
    key: 'prompts',
    label: 'Prompts',
    hint: 'held-out arithmetic problems',
    ...boundsOf(p.prompts),
  },
  groupSize: {
    key: 'groupSize',
    label: 'Group size',
    symbol: 'G',
    hint: 'responses per prompt',
    ...boundsOf(p.groupSize),
  },
  minOperators: {
    key: 'minOperators',
    label: 'Fewest operators',
    hint: 'of + − × in a prompt; more operators, longer responses',
    ...boundsOf(p.minOperators),
  },
  maxOperators: {
    key: 'maxOperators',
    label: 'Most operators',
    hint: 'of + − × in a prompt',
    ...boundsOf(p.maxOperators),
  },
  temperature: {
    key: 'temperature',
    label: 'Temperature',
    hint: 'of the sampler; log-probs are always those of temperature 1',
    ...boundsOf(p.temperature),
  },
  maxLength: {
    key: 'maxLength',
    label: 'Longest response',
    hint: 'tokens; longer ones are cut and marked as cut',
    ...boundsOf(p.maxLength),
  },
  seed: {
    key: 'seed',
    label: 'Seed',
    hint: 'same seed, same run',
    ...boundsOf(p.seed),
  },
};

export const SYNTHETIC_FIELDS: { [K in SyntheticField]: FieldSpec<K> } = {
  prompts: { key: 'prompts', label: 'Prompts', hint: 'groups', ...boundsOf(s.prompts) },
  groupSize: {
    key: 'groupSize',
    label: 'Group size',
    symbol: 'G',
    hint: 'responses per prompt',
    ...boundsOf(s.groupSize),
  },
  minLength: { key: 'minLength', label: 'Shortest', hint: 'tokens', ...boundsOf(s.minLength) },
  maxLength: { key: 'maxLength', label: 'Longest', hint: 'tokens', ...boundsOf(s.maxLength) },
  mu: {
    key: 'mu',
    label: 'Mean log-ratio',
    symbol: 'μ',
    hint: 'of one token, nats',
    ...boundsOf(s.mu),
  },
  sigma: {
    key: 'sigma',
    label: 'Token noise',
    symbol: 'σ',
    hint: 'standard deviation of the log-ratio within a response, nats',
    ...boundsOf(s.sigma),
  },
  rho: {
    key: 'rho',
    label: 'Neighbour correlation',
    symbol: 'ρ',
    hint: 'AR(1) correlation of neighbouring tokens; 0 is independent',
    ...boundsOf(s.rho),
  },
  tau: {
    key: 'tau',
    label: 'Prompt effect',
    symbol: 'τ',
    hint: 'standard deviation of each prompt’s own shift, nats',
    ...boundsOf(s.tau),
  },
  tailDegrees: {
    key: 'tailDegrees',
    label: 'Tail degrees',
    symbol: 'ν',
    hint: 'of Student’s t; 0 is normal, small is heavy-tailed',
    zeroMeans: 'normal',
    ...boundsOf(s.tailDegrees.options[1]),
  },
  drift: {
    key: 'drift',
    label: 'Drift',
    hint: 'noise at the end of the longest response over noise at its start',
    ...boundsOf(s.drift),
  },
  seed: { key: 'seed', label: 'Seed', hint: 'same seed, same run', ...boundsOf(s.seed) },
};

export type Reading = { value: number } | { issue: string };

function allowed({ low, high, whole, zeroMeans }: FieldSpec<string>): string {
  const range = `${whole ? 'a whole number' : 'a number'} from ${low} to ${high}`;
  return zeroMeans === undefined ? range : `0 (${zeroMeans}) or ${range}`;
}

/** What a person typed, as a number that the schema accepts, or the sentence to put beside it. */
export function readNumber(field: FieldSpec<string>, text: string): Reading {
  const trimmed = text.trim().replace('−', '-');
  if (trimmed === '') return { issue: `Needs ${allowed(field)}.` };
  const value = Number(trimmed);
  if (!Number.isFinite(value)) {
    const comma = /^[-+]?\d*,\d+$/.test(trimmed) ? ' Write the decimal point as a dot.' : '';
    return { issue: `“${trimmed}” is not a number.${comma || ` Needs ${allowed(field)}.`}` };
  }
  const inRange = value >= field.low && value <= field.high;
  const isZero = field.zeroMeans !== undefined && value === 0;
  if (isZero || (inRange && (!field.whole || Number.isSafeInteger(value)))) return { value };
  return { issue: `Needs ${allowed(field)}; this is ${trimmed}.` };
}
