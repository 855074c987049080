/**
 * Records in, `Rollouts` out. Contract: arrival order is kept; a group is a (step, group) pair, so the same
 * prompt in two training steps is two groups and the way a data set is split into files changes nothing.
 * Steps count up to 2^53 - 1 and so do samples: trainers number them across a whole run.
 */
import { groupAdvantages, type AdvantageRule } from '../../math/objectives/advantages';
import { RATIO_MASK, tokenText, type Rollouts } from '../rollouts';
import { columnsOf, type ImportFacts, type LostColumn } from './facts';
import { NameCounts, type FieldName } from './fields';
import {
  addColumn,
  impossibleColumn,
  type ImpossibleColumn,
  type ImpossibleError,
} from './impossible';
import type { RolloutRecord } from './record';
import { trainerOf } from './trainer-names';

/** 2^25 tokens are about 0.8 GB of columns, which a browser tab can hold. */
export const MAX_TOKENS = 2 ** 25;

type Column = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** values that a column begins with room for: by then the share that is read means something */
const FIRST = 2 ** 16;
/** What a column has to spare once the share that is read says how long it will be. */
const SPARE = 1.25;
/** No guess goes beyond this. */
const MOST = 2 ** 25;
/** A column that fills so much of its array is not copied into a tighter one. */
const TIGHT = 0.75;

/**
 * A typed array of unknown length. It grows to what the share of the files that is read makes likely, so
 * that values are rarely moved: fresh memory costs more than anything else here. What is never written
 * costs nothing.
 */
class Growing<T extends Column> {
  length = 0;
  private values: T;

  /** @param share of the files that is read so far, 0..1 */
  constructor(
    private readonly make: (length: number) => T,
    private readonly share: () => number,
  ) {
    this.values = make(FIRST);
  }

  append(part: ArrayLike<number>): void {
    this.reserve(part.length);
    this.values.set(part, this.length);
    this.length += part.length;
  }

  push(value: number): void {
    this.reserve(1);
    this.values[this.length++] = value;
  }

  appendConstant(value: number, count: number): void {
    this.reserve(count);
    this.values.fill(value, this.length, this.length + count);
    this.length += count;
  }

  at(index: number): number {
    return this.values[index];
  }

  fill(value: number, from: number, to: number): void {
    this.values.fill(value, from, to);
  }

  /** All values; a view where the rest of the array is small. */
  finish(): T {
    const { values, length } = this;
    return (
      length > TIGHT * values.length ? values.subarray(0, length) : values.slice(0, length)
    ) as T;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.values.length) return;
    const likely = Math.min(MOST, (SPARE * needed) / this.share());
    const grown = this.make(Math.ceil(Math.max(1.5 * needed, likely)));
    grown.set(this.values.subarray(0, this.length));
    this.values = grown;
  }
}

export interface Collected {
  rollouts: Rollouts;
  /** [groups] as written in the files */
  groupIds: (string | number)[];
  /** [n] sample number within the group, counted where the file does not say */
  sample: Float64Array;
  /** [n] training step, -1 where the file does not say */
  step: Float64Array;
  /** responses whose step is that of their file's name */
  stepsFromNames: number;
  /** groups without a step that have responses in more than one file */
  groupsAcrossFiles: number;
  /** responses whose advantage was computed from rewards */
  computedAdvantages: number;
  /** groups with computed advantages that lack a response which was left out */
  incompleteGroups: number;
  /** responses left out of which not even the group is known */
  skippedOfUnknownGroup: number;
  maskedTokens: number;
  /** largest `max_completion_length`; null where no record has one */
  maxCompletionLength: number | null;
  /** responses without the column, where some have it: NaN there, see `withSampler` */
  withoutSampler: number;
  facts: ImportFacts;
}

/** Token columns of which all responses must have all, or nobody's are kept. */
const ALL_OR_NONE = [
  'logpRef',
  'entropyOld',
  'entropyNew',
  'collisionOld',
  'collisionNew',
] as const;

/** Mixes a number into a hash of 2 x 32 bits. */
class Hash {
  private readonly word = new Float64Array(1);
  private readonly bits = new Int32Array(this.word.buffer);
  private a = 0x811c9dc5;
  private b = 0x1234567;

  add(x: number): void {
    this.word[0] = x;
    this.a = Math.imul(this.a ^ this.bits[0], 0x01000193);
    this.a ^= this.a >>> 15;
    this.b = Math.imul(this.b ^ this.bits[1], 0x85ebca6b);
    this.b = (this.b ^ (this.b >>> 13)) + this.a;
  }

  addAll(values: ArrayLike<number>): void {
    for (let t = 0; t < values.length; t++) this.add(values[t]);
  }

  /** 53 bits: one pair in 2^53 is taken for equal that is not */
  get value(): number {
    return (this.a >>> 0) * 2 ** 21 + ((this.b >>> 0) & 0x1fffff);
  }
}

function hashOf(group: number, record: RolloutRecord): number {
  const hash = new Hash();
  hash.add(group);
  hash.add(record.sample ?? -1);
  hash.add(record.reward ?? NaN);
  hash.add(record.advantage ?? NaN);
  hash.addAll(record.logpOld);
  hash.addAll(record.logpNew);
  if (record.tokenIds) hash.addAll(record.tokenIds);
  return hash.value;
}

type GroupId = Pick<RolloutRecord, 'group' | 'step'>;

function groupName({ group, step }: GroupId): string {
  return step === null ? String(group) : `${group}, step ${step}`;
}

function groupKey({ group, step }: GroupId): string {
  return JSON.stringify([step, group]);
}

export class Collector {
  sequences = 0;
  /** of all bytes that have come so far, 0..1: tells how long the columns will be */
  shareRead = 1;
  private readonly ends = this.counts();
  private readonly logpOld = this.floats();
  private readonly logpNew = this.floats();
  private readonly logpSampler = this.floats();
  private readonly advantage = this.floats();
  /** null until a response has advantages that differ by token */
  private tokenAdvantage: Growing<Float64Array> | null = null;
  private readonly allOrNone = new Map<
    (typeof ALL_OR_NONE)[number],
    { column: Growing<Float64Array>; responses: number }
  >();
  private readonly ratioMask = this.floats();
  private readonly reward = this.floats();
  private readonly rewardParts = this.floats();
  /** of every response that has any; null where they differ or one has none */
  private partsWidth: number | null | undefined = undefined;
  /** null until a record has ids; the tokens before it have none */
  private tokenIds: Growing<Int32Array> | null = null;
  private readonly group = this.counts();
  private readonly sample = this.floats();
  private readonly step = this.floats();
  private readonly finished = this.growing((n) => new Uint8Array(n));
  private readonly groups = new Map<string, number>();
  private readonly groupSizes: number[] = [];
  private readonly groupIds: (string | number)[] = [];
  private readonly prompts: string[] = [];
  private promptGroups = 0;
  private readonly promptTexts = new Set<string>();
  /** per response; null where it has none */
  private readonly texts: (string[] | null)[] = [];
  private anyTexts = false;
  private readonly files: string[] = [];
  private readonly fileOf = this.counts();
  private readonly placeOf = this.floats();
  private readonly masked = this.counts();
  private readonly endKnown = this.growing((n) => new Uint8Array(n));
  /** the column that was asked for as the mask */
  mask: string | null = null;
  /** counts the columns of every record */
  readonly names = new NameCounts();
  private readonly impossible = new Map<string, ImpossibleColumn>();
  private readonly lost = new Map<string, LostColumn>();
  private readonly seen = new Map<number, number>();
  private duplicates = 0;
  private firstDuplicate: readonly [number, number] | null = null;
  private longestDuplicate = 0;
  private mismatches = 0;
  private unevenAdvantages = 0;
  private untrained = 0;
  private readonly batches = { records: 0, responses: 0 };
  private readonly groupsFrom = { column: 0, prompt: 0, promptTokens: 0 };
  private stepOfFile: number | null = null;
  private stepsFromNames = 0;
  /** [groups] the file that had the first response */
  private readonly firstFile: number[] = [];
  private readonly acrossFiles = new Set<number>();
  /** groups of responses that were left out, as keys: they may have no other */
  private readonly lacking = new Set<string>();
  private skippedOfUnknownGroup = 0;
  private withoutSampler = 0;
  private maskedTokens = 0;
  private maxCompletionLength: number | null = null;

  private growing<T extends Column>(make: (length: number) => T): Growing<T> {
    return new Growing(make, () => this.shareRead);
  }

  private floats(): Growing<Float64Array> {
    return this.growing((n) => new Float64Array(n));
  }

  private integers(): Growing<Int32Array> {
    return this.growing((n) => new Int32Array(n));
  }

  private counts(): Growing<Uint32Array> {
    return this.growing((n) => new Uint32Array(n));
  }

  get tokens(): number {
    return this.logpOld.length;
  }

  /** @param step of records that name none */
  beginFile(name: string, step: number | null): void {
    this.files.push(name);
    this.stepOfFile = step;
  }

  private get file(): number {
    return this.files.length - 1;
  }

  /** One record that held a batch of responses. */
  addBatch(responses: number): void {
    this.batches.records++;
    this.batches.responses += responses;
  }

  /** A response that is left out. @param id null where its group is not known */
  leaveOut(id: GroupId | null): void {
    if (id === null) this.skippedOfUnknownGroup++;
    else this.lacking.add(groupKey({ group: id.group, step: id.step ?? this.stepOfFile }));
  }

  /** A response that is left out for what stands in a column. @param place line, item or row of its file */
  addImpossible(error: ImpossibleError, id: GroupId | null, place: number): void {
    const at = `${this.files[this.file] ?? ''}, number ${place}`;
    const step = id?.step ?? this.stepOfFile;
    addColumn(
      this.impossible,
      impossibleColumn(error, { at, step, group: id?.group ?? 'not known' }),
    );
  }

  /** @param place line, item or row of its file */
  add(record: RolloutRecord, place: number): void {
    if (!record.trained) {
      this.untrained++;
      return;
    }
    const step = record.step ?? this.stepOfFile;
    if (step !== record.step) this.stepsFromNames++;
    const id = { group: record.group, step };
    const key = groupKey(id);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = this.groupIds.length;
      this.groups.set(key, group);
      this.groupIds.push(record.group);
      this.groupSizes.push(0);
      this.firstFile.push(this.file);
      // without its text, a prompt of one step is not known to be that of another
      this.prompts.push(record.prompt ?? groupName(id));
      if (record.prompt !== null) {
        this.promptGroups++;
        this.promptTexts.add(record.prompt);
      }
    }
    if (step === null && this.firstFile[group] !== this.file) this.acrossFiles.add(group);
    const size = this.groupSizes[group];
    this.groupSizes[group] = size + 1;
    const before = this.logpOld.length;
    const length = record.logpOld.length;
    this.group.push(group);
    this.sample.push(record.sample ?? size);
    this.step.push(step ?? -1);
    this.logpOld.append(record.logpOld);
    this.logpNew.append(record.logpNew);
    if (record.logpSampler) this.logpSampler.append(record.logpSampler);
    else {
      this.logpSampler.appendConstant(NaN, length);
      this.withoutSampler++;
    }
    this.addOptional(record, before, length);
    this.addFacts(record, group, place);
    if (record.tokenIds && !this.tokenIds) {
      this.tokenIds = this.integers();
      this.tokenIds.appendConstant(-1, before);
    }
    if (record.tokenIds) this.tokenIds?.append(record.tokenIds);
    else this.tokenIds?.appendConstant(-1, length);
    this.texts.push(record.tokens);
    if (record.tokens) this.anyTexts = true;
    this.advantage.push(record.advantage ?? NaN);
    this.reward.push(record.reward ?? NaN);
    const parts = record.rewardParts;
    if (this.partsWidth === undefined) this.partsWidth = parts?.length ?? null;
    if (parts?.length !== this.partsWidth) this.partsWidth = null;
    if (parts && this.partsWidth !== null) this.rewardParts.append(parts);
    this.finished.push(record.finished ? 1 : 0);
    this.ends.push(this.logpOld.length);
    this.maskedTokens += record.maskedTokens;
    if (record.maxCompletionLength !== null) {
      this.maxCompletionLength = Math.max(
        this.maxCompletionLength ?? 0,
        record.maxCompletionLength,
      );
    }
    this.sequences++;
  }

  private addOptional(record: RolloutRecord, before: number, length: number): void {
    // All responses must have one, or nobody's is kept.
    if (record.ratioMask) this.ratioMask.append(record.ratioMask);
    for (const name of ALL_OR_NONE) {
      const values = record[name];
      if (values === null) continue;
      let kept = this.allOrNone.get(name);
      if (kept === undefined) {
        kept = { column: this.floats(), responses: 0 };
        this.allOrNone.set(name, kept);
      }
      kept.column.append(values);
      kept.responses++;
    }
    if (record.tokenAdvantage && !this.tokenAdvantage) {
      this.tokenAdvantage = this.floats();
      for (let i = 0; i < this.sequences; i++) {
        const from = i === 0 ? 0 : this.ends.at(i - 1);
        this.tokenAdvantage.appendConstant(this.advantage.at(i), this.ends.at(i) - from);
      }
      if (this.tokenAdvantage.length !== before) throw new Error('token advantages out of step');
    }
    if (record.tokenAdvantage) {
      this.unevenAdvantages++;
      this.tokenAdvantage?.append(record.tokenAdvantage);
    } else this.tokenAdvantage?.appendConstant(record.advantage ?? NaN, length);
  }

  private addFacts(record: RolloutRecord, group: number, place: number): void {
    this.fileOf.push(this.file);
    this.placeOf.push(place);
    this.masked.push(record.maskedTokens);
    this.endKnown.push(record.endKnown ? 1 : 0);
    if (record.mismatch) this.mismatches++;
    this.groupsFrom[record.groupFrom]++;
    for (const { name, meaning } of record.lost) this.lose(name, meaning);
    const hash = hashOf(group, record);
    const first = this.seen.get(hash);
    if (first === undefined) this.seen.set(hash, this.sequences);
    else {
      this.duplicates++;
      this.firstDuplicate ??= [first, this.sequences];
      this.longestDuplicate = Math.max(this.longestDuplicate, record.logpOld.length);
    }
  }

  private lose(name: string, meaning: FieldName): void {
    const before = this.lost.get(name);
    this.lost.set(name, { name, meaning, responses: (before?.responses ?? 0) + 1 });
  }

  private facts(): ImportFacts {
    const { prompt, promptTokens } = this.groupsFrom;
    return {
      compares:
        this.mismatches === 0
          ? 'update'
          : this.mismatches === this.sequences
            ? 'mismatch'
            : 'mixed',
      trainer: trainerOf(this.names),
      ...columnsOf(this.names, this.mask),
      lost: [...this.lost.values()],
      impossible: [...this.impossible.values()],
      masked: this.masked.finish(),
      untrained: this.untrained,
      batches: this.batches,
      endKnown: this.endKnown.finish(),
      duplicates: {
        responses: this.duplicates,
        first: this.firstDuplicate,
        longest: this.longestDuplicate,
      },
      unevenAdvantages: this.unevenAdvantages,
      groupsFrom: { prompt, promptTokens },
      prompts: { groups: this.promptGroups, texts: this.promptTexts.size },
      files: this.files,
      file: this.fileOf.finish(),
      place: this.placeOf.finish(),
    };
  }

  /**
   * @param rule how advantages follow from rewards where a record has none
   * @param recompute true = from rewards wherever there is one, whatever the file says
   */
  finish(rule: AdvantageRule, recompute: boolean): Collected {
    const offsets = new Uint32Array(this.sequences + 1);
    offsets.set(this.ends.finish(), 1);
    const group = this.group.finish();
    const reward = this.reward.finish();
    const advantage = this.advantage.finish();
    const rewarded = Array.from(reward.keys()).filter((i) => !Number.isNaN(reward[i]));
    const computed = groupAdvantages(
      rewarded.map((i) => reward[i]),
      rewarded.map((i) => group[i]),
      rule,
      rewarded.map((i) => offsets[i + 1] - offsets[i]),
    );
    let computedAdvantages = 0;
    const computedGroups = new Set<number>();
    rewarded.forEach((i, k) => {
      if (!recompute && !Number.isNaN(advantage[i])) return;
      advantage[i] = computed[k];
      this.tokenAdvantage?.fill(computed[k], offsets[i], offsets[i + 1]);
      computedAdvantages++;
      computedGroups.add(group[i]);
    });
    const incomplete = [...this.lacking].filter((key) => {
      const lacking = this.groups.get(key);
      return lacking !== undefined && computedGroups.has(lacking);
    });
    const rollouts: Rollouts = {
      offsets,
      tokenIds: this.tokenIds?.finish() ?? new Int32Array(this.tokens).fill(-1),
      logpOld: this.logpOld.finish(),
      logpNew: this.logpNew.finish(),
      group,
      reward,
      advantage,
      finished: this.finished.finish(),
      prompts: this.prompts,
    };
    if (this.withoutSampler < this.sequences) rollouts.logpSampler = this.logpSampler.finish();
    if (typeof this.partsWidth === 'number') rollouts.rewardParts = this.rewardParts.finish();
    if (this.tokenAdvantage) rollouts.tokenAdvantage = this.tokenAdvantage.finish();
    for (const [name, { column, responses }] of this.allOrNone) {
      if (responses === this.sequences) rollouts[name] = column.finish();
    }
    if (this.ratioMask.length === this.tokens) {
      rollouts.tables = { [RATIO_MASK]: { width: 1, values: this.ratioMask.finish() } };
    }
    if (this.anyTexts) {
      rollouts.tokenTexts = this.texts.flatMap(
        (texts, i) =>
          texts ??
          Array.from(rollouts.tokenIds.subarray(offsets[i], offsets[i + 1]), (_, k) =>
            tokenText(rollouts, offsets[i] + k),
          ),
      );
    }
    return {
      rollouts,
      groupIds: this.groupIds,
      sample: this.sample.finish(),
      step: this.step.finish(),
      stepsFromNames: this.stepsFromNames,
      groupsAcrossFiles: this.acrossFiles.size,
      computedAdvantages,
      incompleteGroups: incomplete.length,
      skippedOfUnknownGroup: this.skippedOfUnknownGroup,
      maskedTokens: this.maskedTokens,
      maxCompletionLength: this.maxCompletionLength,
      withoutSampler: this.withoutSampler < this.sequences ? this.withoutSampler : 0,
      facts: this.facts(),
    };
  }
}
