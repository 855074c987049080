/**
 * Workers that a worker wants, started by the page: Firefox 153 now and then blocks for good in `new Worker` inside
 * a worker (5 of 28 visits on a busy machine), or loses the first message to what was started there.
 *
 * Contract: `withWorkers` on the page's side, `PageWorkers` in the worker. What is started is talked to directly,
 * through a port of its own, and ends with the worker that wanted it.
 */

import type { Wire } from './channel';

/** The worker's first message: through this port it asks for others. */
interface Serve {
  type: 'page-workers';
  port: MessagePort;
}

/** A started worker's first message: whom it works for. */
interface Connect {
  type: 'connect';
  port: MessagePort;
}

type Wish = { type: 'start'; id: number; port: MessagePort } | { type: 'end'; id: number };

/** A started worker could not be loaded, or threw. */
interface Failure {
  id: number;
  message: string;
}

/**
 * @param worker that will want others
 * @param start makes one of them
 * @returns the same worker; once it is terminated, so are the others
 */
export function withWorkers(worker: Worker, start: () => Worker): Wire {
  const started = new Map<number, Worker>();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }: MessageEvent<Wish>) => {
    if (data.type === 'end') {
      started.get(data.id)?.terminate();
      started.delete(data.id);
      return;
    }
    const { id, port } = data;
    const other = start();
    started.set(id, other);
    other.onerror = (error) => {
      error.preventDefault();
      port1.postMessage({ id, message: error.message || '' } satisfies Failure);
    };
    other.postMessage({ type: 'connect', port } satisfies Connect, [port]);
  };
  worker.postMessage({ type: 'page-workers', port: port2 } satisfies Serve, [port2]);
  const wire: Wire = {
    onmessage: null,
    onerror: null,
    postMessage: (message: unknown) => worker.postMessage(message),
    terminate: () => {
      port1.close();
      for (const other of started.values()) other.terminate();
      worker.terminate();
    },
  };
  worker.onmessage = (event) => wire.onmessage?.call(worker, event);
  worker.onerror = (event) => wire.onerror?.call(worker, event);
  return wire;
}

/** In the worker. */
export class PageWorkers {
  private readonly wires = new Map<number, Wire>();
  private port: MessagePort | undefined;
  private last = 0;

  /** @returns whether the message was the page's offer, and not for anybody else */
  hear(data: unknown): boolean {
    if (!isOf<Serve>(data, 'page-workers')) return false;
    this.port = data.port;
    this.port.onmessage = ({ data: failure }: MessageEvent<Failure>) => {
      const { id, message } = failure;
      const event = { message, preventDefault: () => undefined } as ErrorEvent;
      const wire = this.wires.get(id);
      wire?.onerror?.call(wire as Worker, event);
    };
    return true;
  }

  start(): Wire {
    const page = this.port;
    if (page === undefined) throw new Error('The page has not said that it starts workers.');
    const id = ++this.last;
    const { port1, port2 } = new MessageChannel();
    const wire: Wire = {
      onmessage: null,
      onerror: null,
      postMessage: (message: unknown) => port1.postMessage(message),
      terminate: () => {
        this.wires.delete(id);
        port1.close();
        page.postMessage({ type: 'end', id } satisfies Wish);
      },
    };
    port1.onmessage = (event) => wire.onmessage?.call(wire as Worker, event);
    this.wires.set(id, wire);
    page.postMessage({ type: 'start', id, port: port2 } satisfies Wish, [port2]);
    return wire;
  }
}

/** In a worker that was started so. @param work is given how to say things, and hears what is said to it */
export function connected<Request>(
  work: (emit: (message: unknown) => void) => (request: Request) => void,
): void {
  addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (!isOf<Connect>(data, 'connect')) return;
    const { port } = data;
    const hear = work((message) => port.postMessage(message));
    port.onmessage = (event: MessageEvent<Request>) => hear(event.data);
  });
}

function isOf<T extends { type: string }>(data: unknown, type: T['type']): data is T {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === type;
}
