/**
 * A person's own files as a source of Rollouts: one batch, read in the worker.
 *
 * Contract: nothing is sent anywhere; the bytes are read where they lie and only columns of numbers (and
 * token texts) are kept. `batch` reads everything or throws the `RolloutFileError` that names file, line and
 * field; after it, `report` holds what was read and what stands out.
 */
import type { Stamp } from '../../export/stamp';
import { Yielder } from '../../policy/yield';
import { bytesOf } from '../../store/pack';
import { fromBlob, type RolloutFile } from '../../rollouts/file/bytes';
import { ImpossibleError } from '../../rollouts/file/impossible';
import { importNotes } from '../../rollouts/file/notes';
import { RolloutFileError, type Problem } from '../../rollouts/file/problems';
import { readRolloutFiles, type FileRollouts } from '../../rollouts/file/read';
import { reportHtml } from '../../rollouts/health/documents';
import { drawingsOf } from '../../rollouts/health/drawing';
import { bandsOf } from '../../rollouts/health/evidence/measure';
import type { HealthBatch } from '../../rollouts/health/evidence/tally';
import { healthReport } from '../../rollouts/health/report';
import {
  type Rollouts,
  type RolloutSource,
  sequenceCount,
  type SourceHooks,
  tokenCount,
} from '../../rollouts/rollouts';
import type { RunFacts } from './kept-run';
import type {
  ImportFile,
  ImportOptions,
  ImportReport,
  ImportSource,
  ImportTable,
  Judged,
} from './protocol';

/** Display and bootstrap streams of runs that have no seed of their own. */
export const FILE_SEED = 1;

export class FileSource implements RolloutSource {
  readonly batches = 1;
  /** null until the files have been read */
  report: ImportReport | null = null;
  /** what the file says about the run, where the lab itself had written it */
  private written: Stamp | null = null;
  /** what stopped the reading; null also where it was stopped by something else than the files */
  problem: Problem | null = null;
  /** where a column holds what no log-prob can be: the report on that */
  judged: Judged | null = null;

  constructor(
    private readonly files: readonly ImportSource[],
    private readonly options: ImportOptions,
  ) {}

  /** 0 until they are known */
  get totalSequences(): number {
    return this.report?.sequences ?? 0;
  }

  /** What is known about the run that the files hold. */
  origin(): { seed: number; facts: RunFacts } {
    const files = this.files.map(({ name }) => name);
    const { written } = this;
    if (written === null) {
      return { seed: FILE_SEED, facts: { settings: null, files, policies: [], backend: null } };
    }
    const { settings, seed, policies, backend } = written;
    return { seed: seed ?? FILE_SEED, facts: { settings, files, policies, backend } };
  }

  async batch(_index: number, hooks: SourceHooks): Promise<Rollouts> {
    const { files, options } = this;
    const [table] = files;
    if (files.length === 1 && table && 'rollouts' in table) {
      this.written = table.stamp;
      this.report = reportOfTable(table);
      return table.rollouts;
    }
    const blobs = files.filter((file) => 'blob' in file);
    const total = blobs.reduce((sum, { blob }) => sum + blob.size, 0);
    const what = files.length === 1 ? (files[0] as ImportSource).name : `${files.length} files`;
    const said = (fraction: number) =>
      hooks.onLoad({ bytes: Math.round(fraction * total), total, what });
    said(0);
    const all = blobs.map(interruptible);
    const reading = { signal: hooks.signal, progress: steps(said) };
    try {
      const read = await readRolloutFiles(all, { ...options, ...reading });
      this.written = read.written?.stamp ?? null;
      this.report = reportOf(read, options.band);
      return read.rollouts;
    } catch (error) {
      if (error instanceof RolloutFileError) {
        this.problem = error.problem;
        // Nothing can be computed of such a column, but what it holds is a finding.
        if (options.onBad === 'skip' || error.cause instanceof ImpossibleError) {
          const rest = { ...options, ...reading, onBad: 'skip', allowEmpty: true } as const;
          const read = await readRolloutFiles(all, rest).catch(() => null);
          const columns = read?.facts.impossible.length ?? 0;
          if (read && columns > 0) this.judged = healthOf(read, options.band);
        }
      }
      throw error;
    }
  }
}

/** A table as a report: nothing was left out, and nothing computed. */
function reportOfTable({ name, rollouts }: ImportTable): ImportReport {
  const sequences = sequenceCount(rollouts);
  const tokens = tokenCount(rollouts);
  return {
    files: [
      {
        name,
        bytes: bytesOf(rollouts),
        format: 'run',
        compression: null,
        sequences,
        tokens,
        skipped: 0,
      },
    ],
    sequences,
    tokens,
    groups: rollouts.prompts.length,
    steps: 0,
    skipped: 0,
    problems: [],
    rule: 'trl',
    computedAdvantages: 0,
    maskedTokens: 0,
    maxCompletionLength: null,
    withoutSampler: 0,
    notes: [],
    ...healthOf({ rollouts }, undefined),
  };
}

/** bytes that are worked off at a stretch; allocators keep pieces below a MiB for the next of their size */
const STRETCH = 2 ** 19;

/** ms after which a read that has not come back is given up */
const PATIENCE = 3000;

async function soon<T>(work: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Pieces of a blob, read into one and the same memory: on some machines fresh memory costs more than all
 * the rest of the reading.
 *
 * In a thread that was kept busy Chromium was seen to lose such a read for good (156, while the thread yielded
 * to no message for seconds at a time). Then the rest is read the other way.
 */
async function* piecesInto(
  reader: ReadableStreamBYOBReader,
  blob: Blob,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let memory = new ArrayBuffer(STRETCH);
  let at = 0;
  try {
    for (;;) {
      const read = await soon(reader.read(new Uint8Array(memory), { min: STRETCH }));
      if (read === null) return yield* piecesOf(blob, at);
      const { done, value } = read;
      if (value && value.length > 0) {
        at += value.length;
        yield value;
      }
      // The last piece is what is left, and comes with the news that it is the last.
      if (done || !value) return;
      memory = value.buffer;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/** The same with memory of its own for each: the next piece is fetched while one is worked off. */
async function* piecesOf(blob: Blob, from = 0): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const piece = (start: number) => blob.slice(start, start + STRETCH).arrayBuffer();
  let coming = piece(from);
  for (let start = from; start < blob.size; start += STRETCH) {
    const buffer = await coming;
    coming = piece(start + STRETCH);
    // An early end must not leave a rejection that nobody hears.
    coming.catch(() => undefined);
    yield new Uint8Array(buffer);
    // Gives the memory to the next piece, where the collector would let it pile up.
    buffer.transfer?.(0);
  }
}

function pieces(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = blob.stream().getReader({ mode: 'byob' });
  } catch {
    // Streams cannot be given memory here.
    return piecesOf(blob);
  }
  return piecesInto(reader, blob);
}

/** Reads a blob in pieces with pauses between them; otherwise nobody could cancel. */
function interruptible({ name, blob, fromFolder = false }: ImportFile): RolloutFile {
  return {
    ...fromBlob(name, blob),
    fromFolder,
    async *stream() {
      const yielder = new Yielder();
      for await (const piece of pieces(blob)) {
        yield piece;
        await yielder.pause();
      }
    },
  };
}

/** ms between two messages to the page: each is drawn, on cores that the reading needs too */
const NEWS = 100;

function steps(said: (fraction: number) => void): (fraction: number) => void {
  let last = performance.now();
  return (fraction) => {
    const now = performance.now();
    if (now - last < NEWS && fraction < 1) return;
    last = now;
    said(fraction);
  };
}

/** The health report with its figures and the file to send on. */
function healthOf(data: HealthBatch, band: ImportOptions['band']): Judged {
  const health = healthReport(
    data,
    bandsOf({ low: band?.low ?? undefined, high: band?.high ?? undefined }),
  );
  const made = new Date().toISOString().slice(0, 10);
  return {
    health,
    drawings: drawingsOf(health),
    html: reportHtml(health, { withData: false, made }),
  };
}

function reportOf(read: FileRollouts, band: ImportOptions['band']): ImportReport {
  const { rollouts, step } = read;
  return {
    files: read.files,
    sequences: sequenceCount(rollouts),
    tokens: tokenCount(rollouts),
    groups: rollouts.prompts.length,
    steps: new Set(step).size - (step.includes(-1) ? 1 : 0),
    skipped: read.skipped,
    problems: read.problems,
    rule: read.rule,
    computedAdvantages: read.computedAdvantages,
    maskedTokens: read.maskedTokens,
    maxCompletionLength: read.maxCompletionLength,
    withoutSampler: read.withoutSampler,
    notes: importNotes(read),
    ...healthOf(read, band),
  };
}
