/**
 * Records in, `Rollouts` out. Contract: arrival order is kept; a group is a (step, group) pair, so the same
 * prompt in two training steps is two groups and the way a data set is split into files changes nothing.
 * Steps count up to 2^53 - 1 and so do samples: trainers number them across a whole run.
 */
import { groupAdvantages, type AdvantageRule } from '../../math/objectives/advantages';
import type { Rollouts } from '../rollouts';
import type { RolloutRecord } from './record';

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
  /** largest `meta.max_completion_length`; null where no record has one */
  maxCompletionLength: number | null;
  /** responses without the column, where some have it (then the column is left out) */
  withoutSampler: number;
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
  private readonly reward = this.floats();
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
  private texts: string[][] | null = [];
  private file = -1;
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
  beginFile(step: number | null): void {
    this.file++;
    this.stepOfFile = step;
  }

  /** A response that is left out. @param id null where its group is not known */
  leaveOut(id: GroupId | null): void {
    if (id === null) this.skippedOfUnknownGroup++;
    else this.lacking.add(groupKey({ group: id.group, step: id.step ?? this.stepOfFile }));
  }

  add(record: RolloutRecord): void {
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
    }
    if (step === null && this.firstFile[group] !== this.file) this.acrossFiles.add(group);
    const size = this.groupSizes[group] as number;
    this.groupSizes[group] = size + 1;
    const before = this.logpOld.length;
    const length = record.logpOld.length;
    this.group.push(group);
    this.sample.push(record.sample ?? size);
    this.step.push(step ?? -1);
    this.logpOld.append(record.logpOld);
    this.logpNew.append(record.logpNew);
    if (record.logpSampler) this.logpSampler.append(record.logpSampler);
    else this.withoutSampler++;
    if (record.tokenIds && !this.tokenIds) {
      this.tokenIds = this.integers();
      this.tokenIds.appendConstant(-1, before);
    }
    if (record.tokenIds) this.tokenIds?.append(record.tokenIds);
    else this.tokenIds?.appendConstant(-1, length);
    if (record.tokens) this.texts?.push(record.tokens);
    else this.texts = null;
    this.advantage.push(record.advantage ?? NaN);
    this.reward.push(record.reward ?? NaN);
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
      rewarded.map((i) => reward[i] as number),
      rewarded.map((i) => group[i] as number),
      rule,
    );
    let computedAdvantages = 0;
    const computedGroups = new Set<number>();
    rewarded.forEach((i, k) => {
      if (!recompute && !Number.isNaN(advantage[i])) return;
      advantage[i] = computed[k] as number;
      computedAdvantages++;
      computedGroups.add(group[i] as number);
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
    if (this.withoutSampler === 0 && this.sequences > 0) {
      rollouts.logpSampler = this.logpSampler.finish();
    }
    if (this.texts && this.sequences > 0) rollouts.tokenTexts = this.texts.flat();
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
    };
  }
}
