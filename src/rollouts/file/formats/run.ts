/**
 * The lab's own runs, as `export/run-json.ts` writes them (docs/run-format.md). Contract: a file is hostile until it has passed the schema; every refusal
 * is a `RolloutFileError` that names file, response and field; unknown keys are ignored, never walked. What
 * comes out equals what was written, bit for bit.
 */
import * as v from 'valibot';
import type { RolloutFile } from '../bytes';
import { wholeFile } from '../bytes';
import { MAX_TOKENS } from '../collector';
import { openFile } from '../compression';
import { RecordError, RolloutFileError } from '../problems';
import { parseRecord, type RolloutRecord } from '../record';
import {
  fileName,
  type FloatArray,
  type Rollouts,
  TOKEN_COLUMNS,
  type TokenColumn,
} from '../../rollouts';
import { stampSchema, type Stamp } from '../../stamp';
import { headOf, type Content, type Format } from './format';
import { readDocument, recordsOf } from './json';

export const RUN_FORMAT = 'gspo-lab-run';
export const RUN_FORMAT_VERSION = 1;

export interface RunFileHead {
  /** as the person named the run; null: not named */
  name: string | null;
  stamp: Stamp;
  /** responses that the whole run would have; more than there are where it was stopped */
  totalSequences: number;
}

export interface RunFile extends RunFileHead {
  rollouts: Rollouts;
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
    logp_ref: v.optional(precision),
    token_advantage: v.optional(precision),
    entropy_old: v.optional(precision),
    entropy_new: v.optional(precision),
    collision_old: v.optional(precision),
    collision_new: v.optional(precision),
  }),
  vocabulary: v.nullable(v.array(v.string())),
  rollouts: v.pipe(v.array(v.unknown()), v.minLength(1)),
});

export const run: Format<'run'> = {
  id: 'run',
  recognise: ({ text }) => /^\{\s*"format"\s*:\s*"gspo-lab-run"/.test(text),
  /** as any reader of rollout files takes it, beside other files */
  async *read(content) {
    const records = recordsOf(await readDocument(content));
    yield {
      unit: 'item',
      records: records.map((value, i) => ({ index: i + 1, value: () => value })),
    };
  },
};

/**
 * The run as it was.
 * @throws RolloutFileError
 */
export async function readRun(content: Content): Promise<RunFile> {
  const file = content.file.name;
  const head = parseHead(file, await readDocument(content));
  const { name, stamp, totalSequences } = head;
  return { name, stamp, totalSequences, rollouts: new Assembly(file, head).rollouts() };
}

/** @throws RolloutFileError also where the file is no run of this lab */
export async function readRunFile(
  file: RolloutFile,
  options: { signal?: AbortSignal } = {},
): Promise<RunFile> {
  const opened = await openFile(file, undefined, options.signal);
  return readRun({ ...opened, file, signal: options.signal, progress: () => undefined });
}

/** Whether the file says that it is a run of this lab; reads only its first bytes. */
export async function isRunFile(file: RolloutFile): Promise<boolean> {
  const { head, close } = await openFile(file);
  await close();
  return run.recognise(headOf(file.name, head));
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

function parseHead(file: string, value: unknown): Head {
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
      offsets[i + 1] = offsets[i] + logpOld.length;
    });
    const { group, prompts } = this.groups();
    const tokenIds = new Int32Array(offsets[n]).fill(-1);
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
      case 'logpRef':
        return kinds.logp_ref;
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
