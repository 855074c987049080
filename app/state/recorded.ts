/**
 * The recorded run that the page shows until live numbers replace it: `recorded/equivalence.json`.
 * Contract: a file that is missing or not of this shape is no recorded run, never an error; typed
 * arrays are plain arrays in the file.
 */
import * as v from 'valibot';
import type { BackendInfo } from '../../src/engine/lab/protocol';
import type { EquivalenceResult } from '../../src/experiments/equivalence';
import { runSettingsSchema, type RunSettings } from '../../src/settings/run';

const number = v.number();
/** JSON has no NaN and no infinities; they are written as null. */
const anyNumber = v.pipe(
  v.nullable(v.number()),
  v.transform((x) => x ?? Number.NaN),
);
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const form = v.picklist(['geometric', 'perplexity', 'entropy']);

const histogram = v.object({
  counts: v.pipe(
    v.array(whole),
    v.transform((counts) => Uint32Array.from(counts)),
  ),
  underflow: whole,
  overflow: whole,
  notFinite: whole,
});

const verdict = v.picklist(['holds', 'fails', 'departs', 'undecided', 'not applicable']);

/** The standard error is not a number below 20 prompts. */
const measured = v.object({
  estimate: anyNumber,
  standardError: anyNumber,
  clusters: whole,
  df: number,
});

const resultSchema = v.object({
  verdict,
  sequences: whole,
  tokens: whole,
  kernels: v.picklist(['webgpu', 'cpu']),
  spec: v.object({ low: number, high: number, bins: whole }),
  histograms: v.object({ geometric: histogram, perplexity: histogram, entropy: histogram }),
  deviations: v.array(
    v.object({
      form,
      max: anyNumber,
      quantiles: v.object({ p50: anyNumber, p90: anyNumber, p99: anyNumber }),
      worstSequence: v.number(),
    }),
  ),
  tolerance: number,
  underflow: v.array(
    v.object({ minLength: whole, maxLength: whole, sequences: whole, lost: whole }),
  ),
  points: v.array(
    v.object({
      sequence: whole,
      geometric: anyNumber,
      perplexity: anyNumber,
      entropy: anyNumber,
      length: whole,
      shannonChange: v.nullable(number),
      crossEntropyChange: anyNumber,
    }),
  ),
  shannonCorrelation: v.nullable(number),
  shannon: v.nullable(measured),
  deciding: v.array(v.string()),
  summary: v.object({
    meanLogWeight: anyNumber,
    sdLogWeight: anyNumber,
    meanS: anyNumber,
    meanPplOld: anyNumber,
    meanPplNew: anyNumber,
    meanCrossEntropyOld: anyNumber,
    meanCrossEntropyNew: anyNumber,
  }),
  claims: v.array(
    v.object({
      id: v.string(),
      claim: v.string(),
      source: v.picklist(['liu', 'gspo', 'library', 'lab']),
      prediction: v.nullable(number),
      margin: v.nullable(v.tuple([v.nullable(number), v.nullable(number)])),
      measured: v.nullable(number),
      interval: v.nullable(v.tuple([number, number])),
      n: whole,
      nOf: v.picklist(['tokens', 'sequences', 'prompts', 'lengths']),
      verdict,
      detected: v.boolean(),
      clusters: whole,
      settledBy: v.nullable(number),
      note: v.nullable(v.string()),
      keptFrom: v.nullable(whole),
      rule: v.string(),
      working: v.nullable(v.object({ ...measured.entries, r: number, size: number })),
    }),
  ),
});

export const recordedSchema = v.object({
  /** ISO 8601 */
  recordedAt: v.string(),
  settings: runSettingsSchema,
  backend: v.object({
    policy: v.picklist(['webgpu', 'wasm']),
    kernels: v.picklist(['webgpu', 'cpu']),
    adapter: v.string(),
    reason: v.string(),
    threads: v.number(),
  }),
  result: resultSchema,
});

export interface RecordedRun {
  recordedAt: string;
  settings: RunSettings;
  backend: BackendInfo;
  result: EquivalenceResult;
}

export function parseRecorded(input: unknown): RecordedRun | null {
  const parsed = v.safeParse(recordedSchema, input);
  return parsed.success ? parsed.output : null;
}

/** @param base where the site lives; the file is looked for below it */
export async function loadRecorded(base: string, signal: AbortSignal): Promise<RecordedRun | null> {
  try {
    const response = await fetch(new URL('recorded/equivalence.json', base), { signal });
    // A static host may answer a missing file with the page itself.
    if (!response.ok || !response.headers.get('content-type')?.includes('json')) return null;
    return parseRecorded(await response.json());
  } catch {
    return null;
  }
}
