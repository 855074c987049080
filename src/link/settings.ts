/**
 * The settings of a run, as a schema: what the setup panel edits, what a link carries, what the engine
 * obeys. Contract: nothing reaches the engine that has not passed `parseRunSettings`; every default is
 * here and nowhere else.
 */
import * as v from 'valibot';
import { anyOf, numberOf } from './fields';

export const integer = (low: number, high: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(low), v.maxValue(high));
export const real = (low: number, high: number) =>
  v.pipe(v.number(), v.finite(), v.minValue(low), v.maxValue(high));
/** Names of files that ship with the site: letters, digits, dashes, dots inside. */
export const shippedName = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/));
export const seed = integer(0, 2 ** 32 - 1);

export const BACKENDS = ['auto', 'webgpu', 'wasm'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

export const policiesSourceSchema = v.strictObject({
  kind: v.literal('policies'),
  policy: shippedName,
  /** checkpoint ids; pi_old samples, pi_theta = theta_old + alpha (theta_new - theta_old) */
  old: shippedName,
  new: shippedName,
  alpha: real(-1, 2),
  prompts: integer(1, 4096),
  /** responses per prompt */
  groupSize: integer(1, 64),
  minOperators: integer(1, 9),
  maxOperators: integer(1, 9),
  /** of the sampler; log-probs are always those of temperature 1 */
  temperature: real(0.05, 4),
  /** response tokens */
  maxLength: integer(1, 224),
  seed,
});

export const LENGTH_SHAPES = ['fixed', 'uniform', 'geometric', 'log-normal'] as const;

export const syntheticSourceSchema = v.strictObject({
  kind: v.literal('synthetic'),
  prompts: integer(1, 100_000),
  groupSize: integer(1, 1024),
  lengthShape: v.picklist(LENGTH_SHAPES),
  minLength: integer(1, 4096),
  maxLength: integer(1, 4096),
  /** mean of d_t, nats */
  mu: real(-1, 1),
  /** standard deviation of d_t within a sequence, nats */
  sigma: real(0, 5),
  /** AR(1) correlation of neighbouring d_t */
  rho: real(-0.95, 0.95),
  /** standard deviation of the prompt's own shift of d_t, nats */
  tau: real(0, 2),
  /** degrees of freedom of Student's t for the innovations; 0 = normal */
  tailDegrees: v.union([v.literal(0), real(2.1, 100)]),
  /** sigma at the end of the longest response over sigma at its start, log-linear in between */
  drift: real(0.1, 10),
  seed,
});

export const runSettingsSchema = v.strictObject({
  backend: v.picklist(BACKENDS),
  source: v.variant('kind', [policiesSourceSchema, syntheticSourceSchema]),
});

export type PoliciesSource = v.InferOutput<typeof policiesSourceSchema>;
export type SyntheticSource = v.InferOutput<typeof syntheticSourceSchema>;
export type RunSettings = v.InferOutput<typeof runSettingsSchema>;

export const DEFAULT_POLICIES: PoliciesSource = {
  kind: 'policies',
  policy: 'arithmetic-dense',
  old: 'gspo-00100',
  new: 'gspo-00101',
  alpha: 1,
  prompts: 64,
  groupSize: 8,
  minOperators: 1,
  maxOperators: 9,
  temperature: 1,
  maxLength: 180,
  seed: 1,
};

export const DEFAULT_SYNTHETIC: SyntheticSource = {
  kind: 'synthetic',
  prompts: 500,
  groupSize: 8,
  lengthShape: 'log-normal',
  minLength: 4,
  maxLength: 256,
  mu: 0,
  sigma: 0.1,
  rho: 0,
  tau: 0,
  tailDegrees: 0,
  drift: 1,
  seed: 1,
};

export const DEFAULT_SETTINGS: RunSettings = { backend: 'auto', source: DEFAULT_POLICIES };

/**
 * Most response tokens that a run may have, counted at their longest: what a tab can hold. Each takes
 * about 30 bytes with its log-probs, entropies and kernels' copies.
 */
export const MAX_TOKENS = 50_000_000;

export interface RunSize {
  responses: number;
  /** at their longest */
  tokens: number;
}

export function runSize({ source }: RunSettings): RunSize {
  const responses = source.prompts * source.groupSize;
  return { responses, tokens: responses * source.maxLength };
}

export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** @throws SettingsError naming the field and what it may be */
export function parseRunSettings(input: unknown): RunSettings {
  const parsed = v.safeParse(runSettingsSchema, input);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue) ?? 'settings';
    throw new SettingsError(`Setting "${path}": ${issue.message}`);
  }
  const { source } = parsed.output;
  if (source.kind === 'policies' && source.minOperators > source.maxOperators) {
    throw new SettingsError('Setting "minOperators" must not exceed "maxOperators".');
  }
  if (source.kind === 'synthetic' && source.minLength > source.maxLength) {
    throw new SettingsError('Setting "minLength" must not exceed "maxLength".');
  }
  const { tokens } = runSize(parsed.output);
  if (tokens > MAX_TOKENS) {
    throw new SettingsError(
      `Prompts × group size × longest response is ${tokens.toLocaleString('en-US')} tokens; ` +
        `at most ${MAX_TOKENS.toLocaleString('en-US')} fit into a tab.`,
    );
  }
  return parsed.output;
}

type Described = { type: string; options?: readonly unknown[]; pipe?: readonly Described[] } & {
  requirement?: unknown;
};

function describe(schema: Described): string {
  if (schema.type === 'picklist' || schema.type === 'literal') {
    return anyOf((schema.options ?? []).map(String));
  }
  const pipe = schema.pipe ?? [];
  const limit = (type: string) => pipe.find((action) => action.type === type)?.requirement;
  if (schema.type === 'string') return 'letters, digits and dashes, at most 64';
  const kind = pipe.some(({ type }) => type === 'safe_integer') ? 'a whole number' : 'a number';
  return `${kind} from ${limit('min_value')} to ${limit('max_value')}`;
}

/** What one setting of a run may be, in words; null where there is no such setting. */
export function runSettingMay(
  kind: string,
  name: string,
): { words: string; allows(text: string): boolean } | null {
  const entries =
    kind === 'synthetic' ? syntheticSourceSchema.entries : policiesSourceSchema.entries;
  const schemas = new Map<string, v.GenericSchema>(
    Object.entries({ backend: runSettingsSchema.entries.backend, ...entries }),
  );
  const schema = schemas.get(name);
  if (schema === undefined) return null;
  const words =
    name === 'tailDegrees'
      ? `0, or ${describe(syntheticSourceSchema.entries.tailDegrees.options[1])}`
      : describe(schema as Described);
  return {
    words,
    allows: (text) => v.is(schema, text) || v.is(schema, numberOf(text)),
  };
}
