/**
 * The wire between a page's client and its worker: promises for answers, events for listeners. Contract: the
 * worker is made on first use; a dead one rejects what was waiting and tells listeners so, and the next call
 * starts a fresh one; nothing hangs.
 */

/** A request was understood and could not be answered; the message is for a person. */
class RefusedError extends Error {
  override name = 'RefusedError';
}

interface Typed {
  type: string;
}

export type Answer<Reply> =
  | { type: 'reply'; requestId: number; reply: Reply }
  | { type: 'refused'; requestId: number; message: string };

interface Waiting<Reply> {
  settle(reply: Reply): void;
  reject(error: Error): void;
}

interface WorkerLinkOptions<Event> {
  createWorker(): Worker;
  /** for sentences: "the engine" */
  name: string;
  /** what listeners hear when the worker has died */
  died(): Event;
}

export class WorkerLink<Request extends Typed, Reply extends Typed, Event extends Typed> {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting<Reply>>();
  private readonly listeners = new Set<(event: Event) => void>();

  constructor(private readonly options: WorkerLinkOptions<Event>) {}

  /** @param expected tells whether a reply is of the kind that this request has, and narrows it */
  ask<R extends Reply>(
    request: Request & { requestId: number },
    expected: (reply: Reply) => reply is R,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const settle = (reply: Reply) => {
        if (expected(reply)) return resolve(reply);
        reject(new Error(`${this.options.name} answered "${request.type}" with "${reply.type}"`));
      };
      this.waiting.set(request.requestId, { settle, reject });
      this.send(request);
    });
  }

  send(request: Request): void {
    if (!this.worker) {
      this.worker = this.options.createWorker();
      this.worker.onmessage = ({ data }: MessageEvent<Event | Answer<Reply>>) => this.receive(data);
      this.worker.onerror = (error) => {
        error.preventDefault();
        const event = this.options.died();
        this.close(`${this.options.name} stopped: ${error.message || 'unknown error'}.`);
        this.publish(event);
      };
    }
    this.worker.postMessage(request);
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

  private receive(event: Event | Answer<Reply>): void {
    if (!isAnswer<Reply>(event)) return this.publish(event);
    const waiting = this.waiting.get(event.requestId);
    this.waiting.delete(event.requestId);
    if (event.type === 'refused') waiting?.reject(new RefusedError(event.message));
    else waiting?.settle(event.reply);
  }

  private publish(event: Event): void {
    for (const listener of this.listeners) listener(event);
  }
}

function isAnswer<Reply>(event: Typed): event is Answer<Reply> {
  return event.type === 'reply' || event.type === 'refused';
}
