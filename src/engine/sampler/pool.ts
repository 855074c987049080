/**
 * Threads that sample and score beside the engine's own, on WebAssembly. Contract: a run has the same responses
 * however many there are, log-probs to rounding; batches are handed out in the run's order; a thread that dies or
 * never answers is replaced by the others, and in the end by the engine's own. Nothing is computed ahead while
 * nobody waits for a batch.
 *
 * How many pay is measured, not ruled: two to begin with (on two cores one, until the first batch is made), then one more as long as the last one brought responses
 * at least GAIN times as fast; one that did not is taken away again, and the number stays for the session.
 */
import type { FileSource } from '../../policy/fetch';
import type { PolicyManifest } from '../../policy/manifest';
import { BATCHES_AHEAD, batchesOf, type BatchCut } from '../../rollouts/policies';
import {
  sequenceCount,
  type Rollouts,
  type RolloutSource,
  type SourceHooks,
} from '../../rollouts/rollouts';
import type { PoliciesSource } from '../../settings/run';
import { message } from '../../message';
import { Channel, type Wire } from '../rpc/channel';
import type { FileOrder, SamplerCalls, SamplerEvent } from './protocol';

export interface SamplerPoolOptions {
  createWorker(): Wire;
  /** most threads: the processor's cores */
  most: number;
  files: FileSource;
  /** ms until a thread that says nothing is done without */
  patience?: number;
}

const AT_FIRST = 2;
const GAIN = 1.1;

/** Batches of each thread over which its speed is judged; the first of each pays for loading. */
const JUDGED = 3;

/** ms: the script of a thread may come over a slow network */
const PATIENCE = 30_000;

/** What a thread asks for and says while it works. */
interface MemberHooks {
  want(path: string): Promise<Uint8Array<ArrayBuffer>>;
  phase(index: number, phase: 'sampling' | 'scoring'): void;
  load: SourceHooks['onLoad'];
}

/** One thread. */
class Member {
  private readonly channel: Channel<SamplerCalls, FileOrder, SamplerEvent>;
  /** indices that it was asked for and has not answered */
  readonly asked = new Set<number>();
  /** batches */
  finished = 0;
  dead = false;

  constructor(
    createWorker: () => Wire,
    private readonly hooks: MemberHooks,
    private readonly patience: number,
  ) {
    this.channel = new Channel<SamplerCalls, FileOrder, SamplerEvent>({
      createWorker,
      name: 'A sampling thread',
      died: () => ({ type: 'died' }),
    });
    this.channel.subscribe((event) => this.hear(event));
    void this.hello();
  }

  batch(ask: SamplerCalls['batch']['ask'], signal: AbortSignal) {
    return this.channel.call('batch', ask, signal);
  }

  finish(index: number): void {
    this.asked.delete(index);
    this.finished++;
  }

  /** What it was asked for is refused. */
  close(): void {
    this.dead = true;
    this.channel.close('The sampling thread was closed.');
  }

  private hear(event: SamplerEvent): void {
    switch (event.type) {
      case 'want':
        return void this.send(event.path);
      case 'phase':
        return this.hooks.phase(event.index, event.phase);
      case 'loading':
        return this.hooks.load(event.loaded);
      case 'died':
        return this.close();
      default:
        return event satisfies never;
    }
  }

  /** Whoever does not answer is not there. */
  private async hello(): Promise<void> {
    const timer = setTimeout(() => this.close(), this.patience);
    await this.channel.call('hello', {}).catch(() => undefined);
    clearTimeout(timer);
  }

  private async send(path: string): Promise<void> {
    let file: FileOrder;
    try {
      file = { type: 'file', path, bytes: await this.hooks.want(path) };
    } catch (error) {
      file = { type: 'file', path, message: message(error) };
    }
    if (!this.dead) this.channel.send(file);
  }
}

/** What a run asks of the pool. */
export interface PooledRun {
  source: PoliciesSource;
  cut: BatchCut;
  /** asked when the run begins, a person's own checkpoints in it; null: the run is the engine's own alone */
  manifest(): Promise<PolicyManifest | null>;
  /** on the engine's own thread */
  local: RolloutSource;
}

/** A batch that a thread was asked for and nobody has taken. */
interface Begun {
  member: Member;
  made: Promise<Rollouts>;
  /** the call, given up */
  abort: AbortController;
  finished: boolean;
}

export class SamplerPool {
  private members: Member[] = [];
  private readonly fetched = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  /** of the batch that is waited for */
  private hooks: { index: number; hooks: SourceHooks } | undefined;
  /** how many threads pay is known */
  private settled = false;
  private judged: { since: number; batches: number; sequences: number } | undefined;
  /** responses per second with one thread less */
  private before = 0;
  private begun = false;

  constructor(private readonly options: SamplerPoolOptions) {}

  /** Threads at work. */
  get size(): number {
    return this.members.length;
  }

  source({ source, cut, manifest, local }: PooledRun): RolloutSource {
    const { batches, totalSequences } = batchesOf(source, cut);
    const begun = new Map<number, Begun>();
    /** who has begun a batch that was interrupted */
    const owners = new Map<number, Member>();
    let listed: Promise<PolicyManifest | null> | undefined;
    /** the first batch that nobody has taken */
    let from = 0;

    const ask = (index: number, member: Member, known: PolicyManifest): void => {
      member.asked.add(index);
      owners.set(index, member);
      const abort = new AbortController();
      const call = { manifest: known, source, cut, index };
      const made = member.batch(call, abort.signal).then(({ rollouts }) => rollouts);
      const one: Begun = { member, made, abort, finished: false };
      begun.set(index, one);
      made.then(
        (rollouts) => {
          one.finished = true;
          member.finish(index);
          if (this.members.length < Math.min(AT_FIRST, this.options.most)) this.add();
          this.judge(sequenceCount(rollouts));
          fill(known);
        },
        () => {
          if (begun.get(index) !== one) return;
          // What was refused may be asked for again; of a dead thread, by another.
          begun.delete(index);
          member.asked.delete(index);
          if (member.dead) fill(known);
        },
      );
    };

    /** Each thread has so many batches before it that its rows stay full; what is waited for comes besides. */
    const fill = (known: PolicyManifest): void => {
      if (this.hooks === undefined) return;
      for (let index = from; index < batches; index++) {
        if (begun.has(index)) continue;
        const owner = owners.get(index);
        const member = owner && !owner.dead ? owner : this.idlest();
        if (member === undefined) return;
        if (index > from && member.asked.size >= BATCHES_AHEAD) return;
        ask(index, member, known);
      }
    };

    const take = async (index: number, hooks: SourceHooks): Promise<Rollouts> => {
      if (!listed) {
        hooks.onPhase('loading');
        listed = manifest();
        listed.catch(() => (listed = undefined));
      }
      const known = await listed;
      if (known === null) return local.batch(index, hooks);
      this.begin();
      this.fetchAll(known, source);
      for (;;) {
        hooks.signal.throwIfAborted();
        this.bury();
        fill(known);
        const one = begun.get(index);
        if (one === undefined) return local.batch(index, hooks);
        try {
          const rollouts = await unlessAborted(one.made, hooks.signal);
          begun.delete(index);
          from = index + 1;
          return rollouts;
        } catch (error) {
          if (hooks.signal.aborted || !one.member.dead) throw error;
        }
      }
    };

    return {
      batches,
      totalSequences,
      batch: (index, hooks) => {
        this.hooks = { index, hooks };
        from = index;
        return take(index, hooks);
      },
      rest: () => {
        this.hooks = undefined;
        this.judged = undefined;
        for (const [index, { member, abort, finished }] of begun) {
          if (finished) continue;
          begun.delete(index);
          member.asked.delete(index);
          abort.abort();
        }
      },
    };
  }

  /** Ends all threads. */
  close(): void {
    for (const member of this.members) member.close();
    this.members = [];
    this.begun = false;
    this.fetched.clear();
  }

  /** Starts the first threads, where there are none. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    // The page and the engine begin at the same time: one core is theirs until something has been made.
    const alone = this.options.most <= AT_FIRST;
    for (let i = 0; i < (alone ? 1 : AT_FIRST); i++) this.add();
  }

  /** What the threads will want, while they are still starting. */
  private fetchAll(manifest: PolicyManifest, { old, new: next }: PoliciesSource): void {
    const { name, onnx, config, tokenizer, checkpoints } = manifest;
    const pair = checkpoints.filter(({ id }) => id === old || id === next);
    for (const { file } of [onnx, config, tokenizer, ...pair]) {
      // Who wants it hears what is wrong.
      this.fetch(`${name}/${file}`).catch(() => undefined);
    }
  }

  private add(): void {
    const { createWorker, patience = PATIENCE } = this.options;
    const member = new Member(
      createWorker,
      {
        want: (path) => this.fetch(path),
        phase: (index, phase) => {
          if (index === this.hooks?.index) this.hooks.hooks.onPhase(phase);
        },
        load: (loaded) => this.hooks?.hooks.onLoad(loaded),
      },
      patience,
    );
    this.members.push(member);
  }

  private bury(): void {
    this.members = this.members.filter(({ dead }) => !dead);
  }

  private idlest(): Member | undefined {
    const [first] = this.members
      .filter(({ dead }) => !dead)
      .sort((a, b) => a.asked.size - b.asked.size);
    return first;
  }

  /** Once for all threads. */
  private fetch(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.fetched.get(path);
    if (known) return known;
    const fetching = this.options.files(path, (bytes, total) =>
      this.hooks?.hooks.onLoad({ bytes, total, what: path }),
    );
    this.fetched.set(path, fetching);
    fetching.catch(() => this.fetched.delete(path));
    return fetching;
  }

  private judge(sequences: number): void {
    const { members, options } = this;
    if (this.settled) return;
    // Where the run ends, some have nothing to do.
    if (members.some(({ finished, asked }) => finished === 0 || asked.size === 0)) {
      this.judged = undefined;
      return;
    }
    const now = performance.now();
    if (this.judged === undefined) {
      this.judged = { since: now, batches: 0, sequences: 0 };
      return;
    }
    const { judged } = this;
    judged.batches++;
    judged.sequences += sequences;
    if (judged.batches < JUDGED * members.length) return;
    this.judged = undefined;
    const rate = (1000 * judged.sequences) / (now - judged.since);
    if (this.before > 0 && rate < GAIN * this.before) {
      this.settled = true;
      members.at(-1)?.close();
      this.bury();
    } else if (members.length < options.most) {
      this.before = rate;
      this.add();
    } else {
      this.settled = true;
    }
  }
}

/** Settles as `work` does, or rejects at once when aborted. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject: (error: unknown) => void) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
