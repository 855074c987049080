/**
 * A page and a worker, both ends. `Channel` is the page's: calls that are answered, orders that are not, events for listeners. Contract: the
 * worker is made on first use; a dead one rejects what was waiting and tells listeners so, and the next call
 * starts a fresh one; nothing hangs. A call whose signal is aborted rejects at once, and the worker is told.
 * `Answers` is the worker's: every call is answered once, with its reply or with the sentence that refuses it; a
 * call that was cancelled is aborted by its signal, and nobody hears of it any more.
 *
 * Why not comlink: it proxies methods, but has neither cancel nor an end for calls whose worker died.
 */
import { message } from '../../message';

// What crosses, derived from the calls that the worker answers.

export interface Message {
  type: string;
}

/** By name: what a call asks with, and what it is answered with. */
export type Calls = Record<string, { ask: object; reply: unknown }>;

/** A call on its way to the worker. */
export type Ask<C extends Calls> = {
  [K in keyof C & string]: { type: K; requestId: number } & C[K]['ask'];
}[keyof C & string];

/** The caller no longer waits. */
export interface Cancel {
  type: 'cancel';
  requestId: number;
}

export type Answer<C extends Calls> =
  | { type: 'reply'; requestId: number; reply: C[keyof C]['reply'] }
  /** the call could not be answered; a sentence for a person */
  | { type: 'refused'; requestId: number; message: string };

/** A request was understood and could not be answered; the message is for a person. */
class RefusedError extends Error {
  override name = 'RefusedError';
}

interface Waiting {
  settle(reply: unknown): void;
  reject(error: Error): void;
}

/** The part of a Worker that is used. */
export type Wire = Pick<Worker, 'postMessage' | 'terminate' | 'onmessage' | 'onerror'>;

interface ChannelOptions<Event> {
  createWorker(): Wire;
  /** for sentences: "the engine" */
  name: string;
  /** what listeners hear when the worker has died */
  died(): Event;
}

export class Channel<C extends Calls, Order extends Message, Event extends Message> {
  private worker: Wire | undefined;
  private lastRequest = 0;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<(event: Event) => void>();

  constructor(private readonly options: ChannelOptions<Event>) {}

  /** @throws what the worker refused with, a sentence; the signal's reason */
  call<K extends keyof C & string>(
    type: K,
    ask: C[K]['ask'],
    signal?: AbortSignal,
  ): Promise<C[K]['reply']> {
    const requestId = ++this.lastRequest;
    const request = { ...ask, type, requestId } as Ask<C>;
    return new Promise((resolve, reject: (error: unknown) => void) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        this.waiting.delete(requestId);
        this.post({ type: 'cancel', requestId });
        reject(signal?.reason);
      };
      const over = () => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort);
      this.waiting.set(requestId, {
        // The worker's end is typed by the same calls.
        settle: (reply) => (over(), resolve(reply)),
        reject: (error) => (over(), reject(error)),
      });
      this.post(request);
    });
  }

  send(order: Order): void {
    this.post(order);
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ends the worker; what is waiting is refused with the message. */
  close(message: string): void {
    this.worker?.terminate();
    this.worker = undefined;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(new RefusedError(message));
  }

  private post(message: Ask<C> | Order | Cancel): void {
    this.worker ??= this.connect();
    this.worker.postMessage(message);
  }

  private connect(): Wire {
    const worker = this.options.createWorker();
    worker.onmessage = ({ data }: MessageEvent<Event | Answer<C>>) => this.receive(data);
    worker.onerror = (error) => {
      error.preventDefault();
      const event = this.options.died();
      this.close(`${this.options.name} stopped: ${error.message || 'unknown error'}.`);
      this.publish(event);
    };
    return worker;
  }

  private receive(message: Event | Answer<C>): void {
    if (!isAnswer<C>(message)) return this.publish(message);
    const waiting = this.waiting.get(message.requestId);
    this.waiting.delete(message.requestId);
    if (message.type === 'refused') waiting?.reject(new RefusedError(message.message));
    else waiting?.settle(message.reply);
  }

  private publish(event: Event): void {
    for (const listener of this.listeners) listener(event);
  }
}

function isAnswer<C extends Calls>(message: Message): message is Answer<C> {
  return message.type === 'reply' || message.type === 'refused';
}

/** The worker's end. */
export class Answers<C extends Calls> {
  private readonly underWay = new Map<number, AbortController>();

  constructor(private readonly emit: (answer: Answer<C>) => void) {}

  /** @param type of the call, so that the reply is of its kind */
  async give<K extends keyof C & string>(
    { requestId }: { type: K; requestId: number },
    work: (signal: AbortSignal) => C[K]['reply'] | Promise<C[K]['reply']>,
  ): Promise<void> {
    const abort = new AbortController();
    this.underWay.set(requestId, abort);
    let answer: Answer<C>;
    try {
      answer = { type: 'reply', requestId, reply: await work(abort.signal) };
    } catch (error) {
      answer = { type: 'refused', requestId, message: message(error) };
    }
    this.underWay.delete(requestId);
    if (!abort.signal.aborted) this.emit(answer);
  }

  cancel(requestId: number): void {
    this.underWay.get(requestId)?.abort();
  }
}
