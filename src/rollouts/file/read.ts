/**
 * People's own rollouts: files in, `Rollouts` and a report out. Contract: runs in a worker or in Node,
 * streams JSONL, sends nothing anywhere; every refusal is a `RolloutFileError` with file, line and field;
 * bad records stop the reading or, by choice, are skipped and counted. Of a folder, files whose first record
 * has no log-probs are others' (a config, a tokenizer): they are left out and named.
 *
 * Formats, told by content: JSONL, JSON (an array of responses, one response, or {"rollouts": [...]}),
 * Parquet, and gzip of these.
 */
import type { AdvantageRule } from '../../math/objectives/advantages';
import {
  collectBytes,
  DamagedGzipError,
  gunzip,
  peek,
  readBytes,
  wholeFile,
  type RolloutFile,
} from './bytes';
import { Collector, type Collected } from './collector';
import { stepInName } from './folder';
import { listed } from './notes';
import { readParquet } from './parquet';
import { RecordError, RolloutFileError, type Problem, type Unit } from './problems';
import { groupOf, hasLogProbs, parseRecord } from './record';
import { decodeText, isBlank, parseJson, parseLine, readLines, refuseBinary } from './text';

/** 2^25 tokens are about 0.8 GB of columns, which a browser tab can hold. */
export const MAX_TOKENS = 2 ** 25;
/** JSON is parsed whole; JSONL is not limited by bytes. */
export const MAX_JSON_BYTES = 256 * 2 ** 20;
const MAX_GZIPPED_PARQUET_BYTES = 2 ** 30;
/** so many problems are kept word for word; all are counted */
export const KEPT_PROBLEMS = 50;

export interface ReadOptions {
  /** what a bad record does; default stop */
  onBad?: 'stop' | 'skip';
  /** how advantages follow from rewards; default TRL's rule */
  rule?: AdvantageRule;
  /** true = compute advantages from rewards even where the file has them */
  recompute?: boolean;
  maxTokens?: number;
  signal?: AbortSignal;
  /** share of all bytes read so far, 0..1 */
  progress?(fraction: number): void;
}

export interface FileSummary {
  name: string;
  bytes: number;
  format: 'jsonl' | 'json' | 'parquet';
  gzip: boolean;
  sequences: number;
  tokens: number;
  skipped: number;
}

export interface FileRollouts extends Collected {
  files: FileSummary[];
  /** names of a folder's files that hold no rollouts */
  leftOut: string[];
  /** records that were skipped, over all files */
  skipped: number;
  /** the first KEPT_PROBLEMS of them */
  problems: Problem[];
  rule: AdvantageRule;
}

class Reading {
  readonly collector = new Collector();
  readonly problems: Problem[] = [];
  skipped = 0;
  constructor(
    private readonly skip: boolean,
    private readonly maxTokens: number,
  ) {}

  /** One record; `value` may throw RecordError itself (JSON). */
  take(file: string, unit: Unit, index: number, value: () => unknown): void {
    let input: unknown;
    try {
      input = value();
      this.collector.add(parseRecord(input, this.collector.names), index);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const problem = { file, unit, index, field: error.field, message: error.message };
      if (!this.skip) throw new RolloutFileError(problem, { cause: error });
      this.skipped++;
      this.collector.leaveOut(groupOf(input));
      if (this.problems.length < KEPT_PROBLEMS) this.problems.push(problem);
    }
    if (this.collector.tokens > this.maxTokens) {
      throw new RolloutFileError({
        file,
        unit,
        index,
        field: null,
        message:
          `more than ${this.maxTokens.toLocaleString('en-US')} response tokens so far, which is this lab's limit. ` +
          'Use fewer files or a sample of the lines.',
      });
    }
  }
}

/** The records of a JSON document. */
function itemsOf(name: string, text: string): unknown[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new RolloutFileError(wholeFile(name, error.message), { cause: error });
  }
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value === 'object' && value !== null && 'rollouts' in value) {
    if (Array.isArray(value.rollouts)) return value.rollouts as unknown[];
  }
  return [value];
}

function firstCharacter(head: Uint8Array): string {
  return new TextDecoder().decode(head).trimStart().charAt(0);
}

/** True for a `.json` document; a `.json` file that in truth holds JSONL is told by its first line. */
function isJsonDocument(name: string, head: Uint8Array): boolean {
  const first = firstCharacter(head);
  if (first === '[') return true;
  if (first !== '{' || !/\.json(\.gz)?$/i.test(name)) return false;
  const text = new TextDecoder().decode(head);
  const end = text.trimStart().indexOf('\n');
  if (end < 0) return true;
  try {
    JSON.parse(text.trimStart().slice(0, end));
    return false;
  } catch {
    return true;
  }
}

const startsWith = (head: Uint8Array, bytes: readonly number[]) =>
  bytes.every((byte, i) => head[i] === byte);
const GZIP_MAGIC = [0x1f, 0x8b];
const PARQUET_MAGIC = [0x50, 0x41, 0x52, 0x31];
/** enough to see the first line of most JSONL files */
const HEAD_BYTES = 64 * 1024;

/** Whether a folder's file is another's, by its first record; a record that cannot be read is for the reader. */
function isForeign(file: RolloutFile, first: () => unknown): boolean {
  if (!file.fromFolder) return false;
  try {
    return !hasLogProbs(first());
  } catch (error) {
    if (error instanceof RecordError) return false;
    throw error;
  }
}

/** @returns null where the file is left out */
async function readOne(
  file: RolloutFile,
  reading: Reading,
  signal: AbortSignal | undefined,
  progress: (bytes: number) => void,
): Promise<FileSummary | null> {
  const before = {
    sequences: reading.collector.sequences,
    tokens: reading.collector.tokens,
    skipped: reading.skipped,
  };
  let bytesRead = 0;
  const raw = await peek(
    readBytes(file, (bytes) => progress((bytesRead += bytes)), signal),
    4,
  );
  const gzip = startsWith(raw.head, GZIP_MAGIC);
  const { head, all, close } = await peek(gzip ? gunzip(file.name, raw.all) : raw.all, HEAD_BYTES);
  let format: FileSummary['format'] = 'jsonl';
  if (startsWith(head, PARQUET_MAGIC)) {
    format = 'parquet';
    let buffer;
    if (gzip) {
      const advice = 'Parquet is compressed inside; gunzip it first.';
      const bytes = await collectBytes(file.name, all, MAX_GZIPPED_PARQUET_BYTES, advice);
      buffer = {
        byteLength: bytes.byteLength,
        slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
      };
    } else {
      await close();
      buffer = {
        byteLength: file.size,
        slice: (start: number, end?: number) => file.slice(start, end ?? file.size),
      };
    }
    for await (const batch of readParquet(file.name, buffer, signal)) {
      if (batch.first === 1 && isForeign(file, () => batch.rows[0])) return null;
      batch.rows.forEach((row, i) => {
        reading.take(file.name, 'row', batch.first + i, () => row);
      });
      progress(batch.done * file.size);
    }
  } else if (isJsonDocument(file.name, head)) {
    format = 'json';
    const advice = 'A JSON document is parsed whole; write JSONL (one response per line) instead.';
    const bytes = await collectBytes(file.name, all, MAX_JSON_BYTES, advice);
    const items = itemsOf(file.name, decodeText(file.name, bytes));
    if (items.length > 0 && isForeign(file, () => items[0])) return null;
    items.forEach((item, i) => {
      reading.take(file.name, 'item', i + 1, () => item);
    });
  } else {
    refuseBinary(file.name, head);
    let begun = false;
    let next = 1;
    try {
      for await (const { first, lines } of readLines(all)) {
        const line = begun ? undefined : lines.find((one) => one === null || !isBlank(one));
        if (line !== undefined) {
          begun = true;
          if (isForeign(file, () => parseLine(line))) return null;
        }
        lines.forEach((one, i) => {
          if (one !== null && isBlank(one)) return;
          reading.take(file.name, 'line', first + i, () => parseLine(one));
        });
        next = first + lines.length;
      }
    } catch (error) {
      if (!(error instanceof DamagedGzipError)) throw error;
      const good = reading.collector.sequences - before.sequences;
      if (good === 0) throw error;
      const came = `${good.toLocaleString('en-US')} good line${good === 1 ? '' : 's'} came before that.`;
      // What is lost is one bad line, the last: who leaves those out keeps the lines before it.
      reading.take(file.name, 'line', next, () => {
        throw new RecordError(null, `${error.problem.message} ${came}`);
      });
    }
  }
  return {
    name: file.name,
    bytes: file.size,
    format,
    gzip,
    sequences: reading.collector.sequences - before.sequences,
    tokens: reading.collector.tokens - before.tokens,
    skipped: reading.skipped - before.skipped,
  };
}

/**
 * @throws RolloutFileError on the first bad record (unless skipped), on a file that cannot be read at all,
 * and when no response is left
 */
export async function readRolloutFiles(
  files: readonly RolloutFile[],
  options: ReadOptions = {},
): Promise<FileRollouts> {
  const { onBad = 'stop', rule = 'trl', recompute = false, maxTokens = MAX_TOKENS } = options;
  const reading = new Reading(onBad === 'skip', maxTokens);
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  const summaries: FileSummary[] = [];
  const leftOut: string[] = [];
  // A number that is the same in all names tells no steps apart.
  const tellsSteps = new Set(files.flatMap(({ name }) => stepInName(name) ?? [])).size > 1;
  let bytesBefore = 0;
  for (const file of files) {
    reading.collector.beginFile(file.name, tellsSteps ? stepInName(file.name) : null);
    const summary = await readOne(file, reading, options.signal, (bytes) => {
      const share = Math.min(1, (bytesBefore + bytes) / Math.max(totalBytes, 1));
      // Before the first record of an empty file nothing is known.
      reading.collector.shareRead = share > 0 ? share : 1;
      options.progress?.(share);
    });
    bytesBefore += file.size;
    if (summary === null) leftOut.push(file.name);
    else summaries.push(summary);
  }
  if (reading.collector.sequences === 0) {
    const names = listed(files.map((file) => file.name)) || 'No file was given';
    const why =
      reading.skipped > 0
        ? `all ${reading.skipped} records were skipped`
        : leftOut.length > 0
          ? 'holds no response with log-probs'
          : 'holds no responses';
    throw new RolloutFileError({
      ...wholeFile(
        names,
        `${why}. Expected one JSON object per line with "group", "logp_old", "logp_new".`,
      ),
    });
  }
  return {
    ...reading.collector.finish(rule, recompute),
    files: summaries,
    leftOut,
    skipped: reading.skipped,
    problems: reading.problems,
    rule,
  };
}
