/**
 * Reads what `run-json.ts` wrote. Contract: a file is hostile until it has passed the schema; every refusal
 * is a `RolloutFileError` that names file, response and field; unknown keys are ignored, never walked. What
 * comes out equals what was written, bit for bit.
 */
import * as v from 'valibot';
import {
  collectBytes,
  gunzip,
  peek,
  readBytes,
  wholeFile,
  type RolloutFile,
} from '../rollouts/file/bytes';
import { RecordError, RolloutFileError } from '../rollouts/file/problems';
import { MAX_JSON_BYTES, MAX_TOKENS } from '../rollouts/file/read';
import { parseRecord, type RolloutRecord } from '../rollouts/file/record';
import { decodeText } from '../rollouts/file/text';
import type { FloatArray, Rollouts } from '../rollouts/rollouts';
import { fileName, TOKEN_COLUMNS, type TokenColumn } from './columns';
import { RUN_FORMAT, RUN_FORMAT_VERSION, type RunFileHead } from './run-json';
import { stampSchema } from './stamp';

export interface RunFile extends RunFileHead {
  rollouts: Rollouts;
  bytes: number;
  gzip: boolean;
}

const precision = v.picklist(['float32', 'float64']);

const headSchema = v.object({
  kind: v.literal('rollouts'),
  name: v.nullable(v.pipe(v.string(), v.maxLength(200))),
  stamp: stampSchema,
  totalSequences: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  precision: v.object({
    logp_old: precision,
    logp_new: precision,
    logp_sampler: v.optional(precision),
    token_advantage: v.optional(precision),
    entropy_old: v.optional(precision),
    entropy_new: v.optional(precision),
    collision_old: v.optional(precision),
    collision_new: v.optional(precision),
  }),
  vocabulary: v.nullable(v.array(v.string())),
  rollouts: v.pipe(v.array(v.unknown()), v.minLength(1)),
});

const GZIP = [0x1f, 0x8b];
/** enough for the first key of the document */
const HEAD_BYTES = 256;

/** Whether the file says that it is a run of this lab; reads only its first bytes. */
export async function isRunFile(file: RolloutFile): Promise<boolean> {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES));
  const says = (head: string) => /^\s*\{\s*"format"\s*:\s*"gspo-lab-run"/.test(head);
  const { gzip, head, close } = await open(file);
  try {
    return says(text(head));
  } catch (error) {
    if (gzip && error instanceof RolloutFileError) return false;
    throw error;
  } finally {
    await close();
  }
}

async function open(
  file: RolloutFile,
  onBytes: (n: number) => void = () => undefined,
  signal?: AbortSignal,
) {
  const raw = await peek(readBytes(file, onBytes, signal), 2);
  const gzip = GZIP.every((byte, i) => raw.head[i] === byte);
  const inner = await peek(gzip ? gunzip(file.name, raw.all) : raw.all, HEAD_BYTES);
  return { gzip, ...inner };
}

/** @throws RolloutFileError */
export async function readRunFile(
  file: RolloutFile,
  options: { signal?: AbortSignal; progress?(fraction: number): void } = {},
): Promise<RunFile> {
  let read = 0;
  const onBytes = (n: number) =>
    options.progress?.(Math.min(1, (read += n) / Math.max(1, file.size)));
  const { gzip, all } = await open(file, onBytes, options.signal);
  const advice = 'Such a run cannot be opened in one piece; run its link again instead.';
  const bytes = await collectBytes(file.name, all, MAX_JSON_BYTES, advice);
  const head = parseHead(file.name, decodeText(file.name, bytes));
  const { name, stamp, totalSequences } = head;
  const rollouts = new Assembly(file.name, head).rollouts();
  return { name, stamp, totalSequences, rollouts, bytes: file.size, gzip };
}

type Head = v.InferOutput<typeof headSchema>;

function refuse(
  file: string,
  message: string,
  field: string | null = null,
  cause?: unknown,
): never {
  throw new RolloutFileError({ ...wholeFile(file, message), field }, { cause });
}

function parseHead(file: string, text: string): Head {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 160) : String(error);
    refuse(file, `is not valid JSON (${why}). If it was cut, export the run again.`, null, error);
  }
  const which = v.safeParse(
    v.object({ format: v.literal(RUN_FORMAT), version: v.number() }),
    value,
  );
  if (!which.success) refuse(file, `is not a run of this lab: "format" must be "${RUN_FORMAT}".`);
  if (which.output.version !== RUN_FORMAT_VERSION) {
    const { version } = which.output;
    refuse(file, `is ${version}; this lab reads version ${RUN_FORMAT_VERSION}.`, 'version');
  }
  const parsed = v.safeParse(headSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    refuse(file, `${issue.message}.`, v.getDotPath(issue));
  }
  return parsed.output;
}

const groupSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Records into columns. */
class Assembly {
  private readonly records: RolloutRecord[];
  private readonly columns: TokenColumn[];

  constructor(
    private readonly file: string,
    private readonly head: Head,
  ) {
    this.records = head.rollouts.map((value, i) => this.at(i, () => parseRecord(value)));
    this.columns = TOKEN_COLUMNS.filter((column) => this.precisionOf(column) !== undefined);
    const tokens = this.records.reduce((sum, { logpOld }) => sum + logpOld.length, 0);
    if (tokens > MAX_TOKENS) {
      refuse(file, `holds ${tokens} response tokens; this lab holds at most ${MAX_TOKENS}.`);
    }
  }

  rollouts(): Rollouts {
    const { records, head } = this;
    const n = records.length;
    const offsets = new Uint32Array(n + 1);
    records.forEach(({ logpOld }, i) => {
      offsets[i + 1] = (offsets[i] as number) + logpOld.length;
    });
    const { group, prompts } = this.groups();
    const tokenIds = new Int32Array(offsets[n] as number).fill(-1);
    records.forEach((record, i) => {
      if (record.tokenIds) tokenIds.set(record.tokenIds, offsets[i]);
    });
    const rollouts: Rollouts = {
      offsets,
      tokenIds,
      logpOld: this.floats('logpOld', offsets),
      logpNew: this.floats('logpNew', offsets),
      group,
      reward: Float64Array.from(records, ({ reward }) => reward ?? NaN),
      advantage: Float64Array.from(records, ({ advantage }) => advantage ?? NaN),
      finished: Uint8Array.from(records, ({ finished }) => (finished ? 1 : 0)),
      prompts,
    };
    for (const column of this.columns) {
      if (column !== 'logpOld' && column !== 'logpNew') {
        rollouts[column] = this.floats(column, offsets);
      }
    }
    if (head.vocabulary) rollouts.vocabulary = head.vocabulary;
    else if (records.every(({ tokens }) => tokens !== null)) {
      rollouts.tokenTexts = records.flatMap(({ tokens }) => tokens ?? []);
    }
    return rollouts;
  }

  private at<T>(index: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      throw new RolloutFileError(
        {
          file: this.file,
          unit: 'item',
          index: index + 1,
          field: error.field,
          message: error.message,
        },
        { cause: error },
      );
    }
  }

  private groups(): { group: Uint32Array; prompts: string[] } {
    const group = new Uint32Array(this.records.length);
    const prompts: string[] = [];
    this.records.forEach((record, i) => {
      const parsed = v.safeParse(groupSchema, record.group);
      // Groups are numbered in the order in which they come.
      if (!parsed.success || parsed.output > prompts.length) {
        this.at(i, () => {
          throw new RecordError('group', 'must number the prompts 0, 1, 2, in their order.');
        });
        return;
      }
      group[i] = parsed.output;
      prompts[parsed.output] ??= record.prompt ?? '';
    });
    return { group, prompts };
  }

  private precisionOf(column: TokenColumn): 'float32' | 'float64' | undefined {
    const kinds = this.head.precision;
    switch (column) {
      case 'logpOld':
        return kinds.logp_old;
      case 'logpNew':
        return kinds.logp_new;
      case 'logpSampler':
        return kinds.logp_sampler;
      case 'tokenAdvantage':
        return kinds.token_advantage;
      case 'entropyOld':
        return kinds.entropy_old;
      case 'entropyNew':
        return kinds.entropy_new;
      case 'collisionOld':
        return kinds.collision_old;
      case 'collisionNew':
        return kinds.collision_new;
      default:
        return column satisfies never;
    }
  }

  private floats(column: TokenColumn, offsets: Uint32Array): FloatArray {
    const tokens = offsets.at(-1) as number;
    const out =
      this.precisionOf(column) === 'float32' ? new Float32Array(tokens) : new Float64Array(tokens);
    this.records.forEach((record, i) => {
      const length = record.logpOld.length;
      out.set(
        this.at(i, () => this.valuesOf(column, record, i, length)),
        offsets[i],
      );
    });
    return out;
  }

  private valuesOf(
    column: TokenColumn,
    record: RolloutRecord,
    index: number,
    length: number,
  ): ArrayLike<number> {
    if (column === 'logpOld') return record.logpOld;
    if (column === 'logpNew') return record.logpNew;
    const name = fileName(column);
    if (column === 'logpSampler') {
      if (record.logpSampler) return record.logpSampler;
      throw new RecordError(name, 'is missing, but "precision" names it.');
    }
    // parseRecord has seen that this is an object.
    const values = (this.head.rollouts[index] as Record<string, unknown>)[name];
    if (!Array.isArray(values) || values.length !== length) {
      throw new RecordError(name, `must be an array of ${length}, one entry per token.`);
    }
    return Float64Array.from(values, (value: unknown, t) => {
      if (value === null) return NaN;
      if (typeof value === 'number') return value;
      throw new RecordError(`${name}[${t}]`, 'must be a number, or null where there is none.');
    });
  }
}
