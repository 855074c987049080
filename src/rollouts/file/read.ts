/**
 * People's own rollouts: files in, `Rollouts` and a report out. Contract: runs in a worker or in Node,
 * streams JSONL, sends nothing anywhere; every refusal is a `RolloutFileError` with file, line and field;
 * bad records stop the reading or, by choice, are skipped and counted. Of a folder, files whose first record
 * has no log-probs are others' (a config, a tokenizer): they are left out and named.
 *
 * Formats (`formats/`) are told by content, as is what packs them: gzip, zstd, and zip as a folder.
 */
import type { AdvantageRule } from '../../math/objectives/advantages';
import { sequenceCount, tokenCount } from '../rollouts';
import { responsesOf } from './batch';
import { wholeFile, type RolloutFile } from './bytes';
import { Collector, MAX_TOKENS, type Collected } from './collector';
import { openFile, unpacked, type Compression } from './compression';
import { factsOfRun } from './facts';
import { stepInName } from './folder';
import { headOf, type FormatRecord, type RecordBatch } from './formats/format';
import { formatOf, type FormatId } from './formats';
import { recordsOf } from './formats/json';
import { readRun, type RunFile, type RunFileHead } from './formats/run';
import { ImpossibleError } from './impossible';
import { listed, RecordError, RolloutFileError, type Problem, type Unit } from './problems';
import { groupOf, hasLogProbs, parseRecord } from './record';

export { MAX_TOKENS };
/** so many problems are kept word for word; all are counted */
export const KEPT_PROBLEMS = 50;

export interface ReadOptions {
  /** what a bad record does; default stop */
  onBad?: 'stop' | 'skip';
  /** how advantages follow from rewards; default TRL's rule */
  rule?: AdvantageRule;
  /** true = compute advantages from rewards even where the file has them */
  recompute?: boolean;
  /** the column to take as the mask, and no other; default: by names, and masks that disagree are an error */
  mask?: string | null;
  maxTokens?: number;
  /** when records without a step take that of their file's name: where names differ in it (default), or always */
  fileSteps?: 'differing' | 'always';
  /** true = no response at all is no error */
  allowEmpty?: boolean;
  signal?: AbortSignal;
  /** share of all bytes read so far, 0..1 */
  progress?(fraction: number): void;
}

export interface FileSummary {
  name: string;
  bytes: number;
  format: FormatId;
  compression: Compression | null;
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
  /** of a run that the lab wrote, where it is the only file; else null */
  written: RunFileHead | null;
}

class Reading {
  readonly collector = new Collector();
  readonly problems: Problem[] = [];
  skipped = 0;
  constructor(
    private readonly skip: boolean,
    private readonly maxTokens: number,
  ) {}

  /** One record: a response, or several. Its value may throw RecordError itself (JSON). */
  take(file: string, unit: Unit, { index, value }: FormatRecord): void {
    const bad = (error: unknown, input: unknown, place: string) => {
      if (!(error instanceof RecordError)) throw error;
      const message = `${place}${error.message}`;
      const problem = { file, unit, index, field: error.field, message };
      if (!this.skip) throw new RolloutFileError(problem, { cause: error });
      this.skipped++;
      const id = groupOf(input);
      this.collector.leaveOut(id);
      if (error instanceof ImpossibleError) this.collector.addImpossible(error, id, index);
      if (this.problems.length < KEPT_PROBLEMS) this.problems.push(problem);
    };
    let input: unknown;
    let records: unknown[];
    try {
      input = value();
      records = unit === 'line' ? rowsOfLine(input) : [input];
    } catch (error) {
      bad(error, input, '');
      return;
    }
    for (const record of records) {
      try {
        const { rows, batch } = responsesOf(record);
        if (batch) this.collector.addBatch(rows.length);
        rows.forEach((row, i) => {
          try {
            this.collector.add(parseRecord(row, this.collector.names, this.collector.mask), index);
          } catch (error) {
            bad(error, row, batch ? `in response ${i + 1} of this batch: ` : '');
          }
        });
      } catch (error) {
        bad(error, record, '');
      }
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

/** A line may hold a document: `{"data": [...]}`, or an array of responses. */
function rowsOfLine(input: unknown): unknown[] {
  if (Array.isArray(input) && !input.every((one) => typeof one === 'object' && one !== null)) {
    return [input];
  }
  return recordsOf(input);
}

/** Whether a folder's file is another's, by its first record; a record that cannot be read is for the reader. */
function isForeign(file: RolloutFile, unit: Unit, { value }: FormatRecord): boolean {
  if (!file.fromFolder) return false;
  try {
    const [first] = unit === 'line' ? rowsOfLine(value()) : [value()];
    return !hasLogProbs(first);
  } catch (error) {
    if (error instanceof RecordError) return false;
    throw error;
  }
}

type Told = Pick<FileSummary, 'format' | 'compression'>;

/** @returns null where the file is left out */
async function readOne(
  file: RolloutFile,
  reading: Reading,
  signal: AbortSignal | undefined,
  progress: (bytes: number) => void,
  alone: boolean,
): Promise<(Told & { run: RunFile | null }) | null> {
  let bytesRead = 0;
  const opened = await openFile(file, (bytes) => progress((bytesRead += bytes)), signal);
  const { compression } = opened;
  const format = formatOf(headOf(file.name, opened.head));
  const content = {
    ...opened,
    file,
    signal,
    progress: (share: number) => progress(share * file.size),
  };
  if (alone && format.id === 'run') {
    return { format: format.id, compression, run: await readRun(content) };
  }
  let begun = false;
  const batches: AsyncGenerator<RecordBatch> = format.read(content);
  for await (const { unit, records, unread = [] } of batches) {
    const [first] = records;
    if (!begun && first) {
      begun = true;
      if (isForeign(file, unit, first)) return null;
    }
    for (const record of records) {
      for (const name of unread) reading.collector.names.count(name);
      reading.take(file.name, unit, record);
    }
  }
  return { format: format.id, compression, run: null };
}

function tooFew(
  files: readonly RolloutFile[],
  { skipped, problems: [first] }: Pick<Reading, 'skipped' | 'problems'>,
  leftOut: readonly string[],
) {
  const names = listed(files.map((file) => file.name)) || 'No file was given';
  const why =
    skipped > 0
      ? `all ${skipped} records were skipped${first ? ` (the first, at ${first.unit} ${first.index}${first.field === null ? '' : `, field "${first.field}"`}: ${first.message})` : ''}`
      : leftOut.length > 0
        ? 'holds no response with log-probs'
        : 'holds no responses';
  return new RolloutFileError(
    wholeFile(
      names,
      `${why}. Expected one JSON object per line with "group", "logp_old", "logp_new".`,
    ),
  );
}

/** What the lab had written, as it was: nothing is left out, and nothing computed. */
function filesOfRun(
  file: RolloutFile,
  told: Told,
  { rollouts, name, stamp, totalSequences }: RunFile,
  rule: AdvantageRule,
): FileRollouts {
  const n = sequenceCount(rollouts);
  const seen = new Uint32Array(rollouts.prompts.length);
  const sequences = { sequences: n, tokens: tokenCount(rollouts), skipped: 0 };
  return {
    rollouts,
    groupIds: Array.from(rollouts.prompts.keys()),
    sample: Float64Array.from(rollouts.group, (group) => {
      const before = seen[group];
      seen[group] = before + 1;
      return before;
    }),
    step: new Float64Array(n).fill(-1),
    stepsFromNames: 0,
    groupsAcrossFiles: 0,
    computedAdvantages: 0,
    incompleteGroups: 0,
    skippedOfUnknownGroup: 0,
    maskedTokens: 0,
    maxCompletionLength: null,
    withoutSampler: 0,
    facts: factsOfRun(file.name, n),
    files: [{ name: file.name, bytes: file.size, ...told, ...sequences }],
    leftOut: [],
    skipped: 0,
    problems: [],
    rule,
    written: { name, stamp, totalSequences },
  };
}

/**
 * @throws RolloutFileError on the first bad record (unless skipped), on a file that cannot be read at all,
 * and when no response is left
 */
export async function readRolloutFiles(
  given: readonly RolloutFile[],
  options: ReadOptions = {},
): Promise<FileRollouts> {
  const { onBad = 'stop', rule = 'trl', recompute = false, maxTokens = MAX_TOKENS } = options;
  const files = (await Promise.all(given.map(unpacked))).flat();
  const reading = new Reading(onBad === 'skip', maxTokens);
  reading.collector.mask = options.mask ?? null;
  const { collector } = reading;
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  const summaries: FileSummary[] = [];
  const leftOut: string[] = [];
  // A number that is the same in all names tells no steps apart.
  const tellsSteps =
    options.fileSteps === 'always' ||
    new Set(files.flatMap(({ name }) => stepInName(name) ?? [])).size > 1;
  let bytesBefore = 0;
  for (const file of files) {
    collector.beginFile(file.name, tellsSteps ? stepInName(file.name) : null);
    const before = {
      sequences: collector.sequences,
      tokens: collector.tokens,
      skipped: reading.skipped,
    };
    const progress = (bytes: number) => {
      const share = Math.min(1, (bytesBefore + bytes) / Math.max(totalBytes, 1));
      // Before the first record of an empty file nothing is known.
      collector.shareRead = share > 0 ? share : 1;
      options.progress?.(share);
    };
    const told = await readOne(file, reading, options.signal, progress, files.length === 1);
    bytesBefore += file.size;
    if (told === null) {
      leftOut.push(file.name);
      continue;
    }
    const { run, ...how } = told;
    if (run !== null) return filesOfRun(file, how, run, rule);
    summaries.push({
      name: file.name,
      bytes: file.size,
      ...how,
      sequences: collector.sequences - before.sequences,
      tokens: collector.tokens - before.tokens,
      skipped: reading.skipped - before.skipped,
    });
  }
  if (collector.sequences === 0 && !options.allowEmpty) throw tooFew(given, reading, leftOut);
  return {
    ...collector.finish(rule, recompute),
    files: summaries,
    leftOut,
    skipped: reading.skipped,
    problems: reading.problems,
    rule,
    written: null,
  };
}
