/**
 * An analysis in parts: step by step where the files are larger than memory, file by file on several machines.
 * Contract: what is kept of a part are sums (`FigureTally`, `HealthTally`), so memory grows with prompts and
 * steps, not with tokens, and parts that are merged give what one pass over all gives. A part that is written
 * appears under its name when it is whole, so that one that was cut off is never merged.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { ADVANTAGE_RULES, type AdvantageRule } from '../src/math/objectives/advantages';
import type { RolloutFile } from '../src/rollouts/file/bytes';
import { FigureTally, figuresSchema, type Clip } from '../src/rollouts/file/figures';
import { stepInName } from '../src/rollouts/file/folder';
import { importNotes } from '../src/rollouts/file/notes';
import type { Problem } from '../src/rollouts/file/problems';
import { readRolloutFiles, type FileRollouts, type FileSummary } from '../src/rollouts/file/read';
import { bandsOf } from '../src/rollouts/health/evidence/measure';
import { SamplingTally, samplingSchema } from '../src/rollouts/file/sampling';
import { HealthTally, tallyFrom } from '../src/rollouts/health/evidence/tally';
import { message } from '../src/message';

/** A part that cannot be made, read or merged; the message is a sentence. */
export class PartError extends Error {
  override name = 'PartError';
}

/** Files of more bytes than these are read step by step; packed ones count four times. */
export const BY_STEP_BYTES = 2 ** 30;

const bytesOf = ({ name, size }: RolloutFile) =>
  (/\.(gz|zst|zstd|zip)$/i.test(name) ? 4 : 1) * size;

/** Whether the files are too large to be held at once. */
export function areLarge(files: readonly RolloutFile[]): boolean {
  return files.reduce((sum, file) => sum + bytesOf(file), 0) > BY_STEP_BYTES;
}

/** The files of each training step, in the order in which steps first come; a file without one by itself. */
export function filesByStep(files: readonly RolloutFile[]): RolloutFile[][] {
  const groups = new Map<number | string, RolloutFile[]>();
  for (const file of files) {
    const key = stepInName(file.name) ?? file.name;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()];
}

export interface Input {
  name: string;
  bytes: number;
  sha256: string;
}

async function fingerprint(file: RolloutFile): Promise<Input> {
  const hash = createHash('sha256');
  for await (const chunk of file.stream()) hash.update(chunk);
  return { name: file.name, bytes: file.size, sha256: hash.digest('hex') };
}

const FORMAT = 'gspo-lab-partial';
const VERSION = 4;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const partSchema = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  inputs: v.array(v.object({ name: v.string(), bytes: count, sha256: v.string() })),
  rule: v.picklist(ADVANTAGE_RULES),
  /** the column taken as the mask; null = masks by their names */
  mask: v.nullable(v.string()),
  /** responses whose advantage was computed from rewards */
  computed: count,
  skipped: count,
  notes: v.array(v.tuple([v.string(), count])),
  figures: figuresSchema,
  sampling: samplingSchema,
  health: v.unknown(),
});

/** What is kept of an analysis, whole or in part. */
export class AnalysisRun {
  readonly figures: FigureTally;
  readonly sampling = new SamplingTally();
  readonly health: HealthTally;
  readonly files: FileSummary[] = [];
  readonly problems: Problem[] = [];
  /** sentences about the import, and in how many parts each was said */
  readonly notes = new Map<string, number>();
  inputs: Input[] = [];
  computed = 0;
  skipped = 0;

  /** @param mask the column to take as the mask; null = masks by their names */
  constructor(
    readonly clip: Clip,
    private ownRule: AdvantageRule,
    readonly mask: string | null = null,
  ) {
    this.figures = new FigureTally(clip);
    this.health = new HealthTally(bandsOf(clip));
  }

  /** How advantages were computed; while none were, that of the parts to come. */
  get rule(): AdvantageRule {
    return this.ownRule;
  }

  /**
   * Reads the groups of files one after the other; each is let go when the next is asked for.
   * @param mayBeEmpty what was left out is of interest, though nothing else is there
   */
  async *read(
    groups: readonly (readonly RolloutFile[])[],
    skip: boolean,
    fileSteps: 'differing' | 'always',
    mayBeEmpty = false,
  ): AsyncGenerator<FileRollouts> {
    for (const files of groups) {
      const data = await readRolloutFiles(files, {
        rule: this.rule,
        onBad: skip ? 'skip' : 'stop',
        fileSteps,
        mask: this.mask,
        allowEmpty: mayBeEmpty || groups.length > 1,
      });
      this.add(data);
      yield data;
    }
    if (!mayBeEmpty && this.figures.figures().n_sequences === 0) {
      throw new PartError('The files hold no responses with log-probs.');
    }
  }

  private add(data: FileRollouts): void {
    const health = new HealthTally(this.health.bands);
    health.add(data);
    this.refuseSplitGroups(health, data.computedAdvantages, data.files[0]?.name ?? '');
    this.health.merge(health);
    this.figures.add(data.rollouts, data.maxCompletionLength);
    this.sampling.add(data.rollouts);
    for (const file of data.files) this.files.push(file);
    this.problems.push(...data.problems.slice(0, 50 - this.problems.length));
    this.computed += data.computedAdvantages;
    this.skipped += data.skipped;
    for (const note of importNotes(data)) this.note(note, 1);
  }

  private note(text: string, times: number): void {
    this.notes.set(text, (this.notes.get(text) ?? 0) + times);
  }

  /** A group's advantages are made of all its rewards, and those of another part are not at hand. */
  private refuseSplitGroups(other: HealthTally, computed: number, name: string): void {
    if (this.computed === 0 && computed === 0) return;
    for (const [step, { groups }] of other.steps) {
      const own = this.health.steps.get(step)?.groups;
      if (!own) continue;
      for (const group of groups.keys()) {
        if (!own.has(group)) continue;
        const of = step === null ? 'of no known step' : `of step ${step}`;
        throw new PartError(
          `Group ${group} ${of} has responses in ${name} and in an earlier part, and advantages are computed from rewards: that takes the whole group. ` +
            'Give the files of one step to one --partial, write "advantage" into them, or write the step into records or file names (step12.jsonl).',
        );
      }
    }
  }

  /** @throws PartError where an input is in both, or the two were made with other settings */
  merge(other: AnalysisRun, name: string): void {
    const known = new Map(this.inputs.map((input) => [input.sha256, input.name]));
    for (const input of other.inputs) {
      const before = known.get(input.sha256);
      if (before === undefined) continue;
      throw new PartError(
        `${name}: ${input.name} is in two of the parts (first as ${before}). Merge every part once.`,
      );
    }
    if (other.rule !== this.rule && other.computed > 0 && this.computed > 0) {
      throw new PartError(
        `${name}: its advantages were computed by the rule "${other.rule}", those of the other parts by "${this.rule}" (--advantages). Make the parts again with one rule.`,
      );
    }
    if (other.mask !== this.mask) {
      const how = (mask: string | null) =>
        mask === null ? 'masks by their names' : `"${mask}" as the mask`;
      throw new PartError(
        `${name}: was made with ${how(other.mask)}, the other parts with ${how(this.mask)} (--mask). Make the parts again with one mask.`,
      );
    }
    this.refuseSplitGroups(other.health, other.computed, name);
    try {
      this.figures.merge(other.figures);
      this.sampling.merge(other.sampling);
      this.health.merge(other.health);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new PartError(`${name}: ${error.message}`, { cause: error });
    }
    for (const input of other.inputs) this.inputs.push(input);
    if (this.computed === 0) this.ownRule = other.rule;
    this.computed += other.computed;
    this.skipped += other.skipped;
    for (const [note, times] of other.notes) this.note(note, times);
  }

  /** Writes the part; there is nothing under the name until it is whole. */
  async write(path: string, files: readonly RolloutFile[]): Promise<void> {
    this.inputs = await Promise.all(files.map(fingerprint));
    const part: v.InferInput<typeof partSchema> = {
      format: FORMAT,
      version: VERSION,
      inputs: this.inputs,
      rule: this.rule,
      mask: this.mask,
      computed: this.computed,
      skipped: this.skipped,
      notes: [...this.notes],
      figures: this.figures.toJSON(),
      sampling: this.sampling.toJSON(),
      health: this.health.toJSON(),
    };
    const { health, ...head } = part;
    await writeLines(path, [
      `${JSON.stringify(head).slice(0, -1)},"health":${JSON.stringify(health)}}`,
    ]);
  }

  /** @throws PartError */
  static async from(path: string): Promise<AnalysisRun> {
    let part;
    let health;
    let sampling;
    try {
      part = v.parse(partSchema, JSON.parse(await readFile(path, 'utf8')));
      health = tallyFrom(part.health);
      sampling = SamplingTally.from(part.sampling);
    } catch (error) {
      if (error instanceof Error && 'code' in error) throw error;
      throw new PartError(
        `${path}: is no part that "analyze --partial" of this version wrote, or it was cut (${message(error).slice(0, 120)}). Make it again.`,
        { cause: error },
      );
    }
    const { low, high } = part.figures.clip;
    const clip = { ...(low === null ? {} : { low }), ...(high === null ? {} : { high }) };
    const run = new AnalysisRun(clip, part.rule, part.mask);
    run.figures.merge(FigureTally.from(part.figures));
    run.sampling.merge(sampling);
    try {
      run.health.merge(health);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new PartError(`${path}: ${error.message}`, { cause: error });
    }
    run.inputs = part.inputs;
    run.computed = part.computed;
    run.skipped = part.skipped;
    for (const [note, times] of part.notes) run.notes.set(note, times);
    return run;
  }
}

/** @throws PartError */
export async function mergedParts(paths: readonly string[]): Promise<AnalysisRun> {
  let all: AnalysisRun | null = null;
  for (const path of paths) {
    const part = await AnalysisRun.from(path);
    if (all === null) all = part;
    else all.merge(part, path);
  }
  if (all === null) throw new PartError('No part was given.');
  return all;
}

/** Lines into a file that has its name when all are written. */
export async function writeLines(
  path: string,
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  async function* text() {
    let block = '';
    for await (const line of lines) {
      block += `${line}\n`;
      if (block.length < 2 ** 16) continue;
      yield block;
      block = '';
    }
    yield block;
  }
  try {
    await pipeline(Readable.from(text()), createWriteStream(draft));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** One JSON document, a line per key, and per entry of the list that is too long to be held as one text. */
export async function* jsonLines(
  before: object,
  name: string,
  entries: Iterable<unknown> | AsyncIterable<unknown>,
  after: () => object,
): AsyncGenerator<string> {
  const key = ([own, value]: [string, unknown]) =>
    `${JSON.stringify(own)}: ${JSON.stringify(value)}`;
  yield '{';
  for (const entry of Object.entries(before)) yield ` ${key(entry)},`;
  yield ` ${JSON.stringify(name)}: [`;
  let waiting: string | null = null;
  for await (const entry of entries) {
    if (waiting !== null) yield `  ${waiting},`;
    waiting = JSON.stringify(entry);
  }
  if (waiting !== null) yield `  ${waiting}`;
  const rest = Object.entries(after());
  yield rest.length > 0 ? ' ],' : ' ]';
  for (const [i, entry] of rest.entries()) yield ` ${key(entry)}${i < rest.length - 1 ? ',' : ''}`;
  yield '}';
}
