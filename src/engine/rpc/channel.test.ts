/** A channel to a worker that answers, refuses, is cancelled, and dies. */
import { describe, expect, test } from 'vitest';
import { Answers, Channel, type Answer, type Ask, type Cancel } from './channel';

type Calls = {
  double: { ask: { value: number }; reply: number };
  wait: { ask: object; reply: string };
};
type Event = { type: 'failed' } | { type: 'news'; text: string };

/** A worker in the same thread; messages are copied and come later, as they do between threads. */
class InProcess {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string; preventDefault(): void }) => void) | null = null;
  aborted = 0;
  private readonly answers = new Answers<Calls>((answer) => this.say(answer));

  postMessage(message: Ask<Calls> | Cancel | { type: 'order' }): void {
    queueMicrotask(() => void this.handle(structuredClone(message)));
  }

  terminate(): void {
    this.onmessage = null;
  }

  say(message: Answer<Calls> | Event): void {
    queueMicrotask(() => this.onmessage?.({ data: structuredClone(message) }));
  }

  die(): void {
    this.onerror?.({ message: 'out of memory', preventDefault: () => undefined });
  }

  private async handle(message: Ask<Calls> | Cancel | { type: 'order' }): Promise<void> {
    switch (message.type) {
      case 'cancel':
        return this.answers.cancel(message.requestId);
      case 'order':
        return this.say({ type: 'news', text: 'obeyed' });
      case 'double':
        return this.answers.give(message, () => {
          if (message.value < 0) throw new Error('Negative values are not doubled.');
          return 2 * message.value;
        });
      case 'wait':
        return this.answers.give(
          message,
          (signal) =>
            new Promise((resolve) => {
              signal.addEventListener('abort', () => {
                this.aborted++;
                resolve('too late');
              });
            }),
        );
    }
  }
}

function open() {
  const workers: InProcess[] = [];
  const heard: Event[] = [];
  const channel = new Channel<Calls, { type: 'order' }, Event>({
    createWorker: () => {
      workers.push(new InProcess());
      return workers.at(-1) as unknown as Worker;
    },
    name: 'The worker',
    died: () => ({ type: 'failed' }),
  });
  channel.subscribe((event) => heard.push(event));
  return { channel, workers, heard };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('a channel', () => {
  test('each call gets its own answer, whatever the order; orders are events', async () => {
    const { channel, workers, heard } = open();
    expect(workers).toHaveLength(0);
    channel.send({ type: 'order' });
    const calls = [1, 2, 3].map((value) => channel.call('double', { value }));
    expect(await Promise.all(calls)).toEqual([2, 4, 6]);
    expect(heard).toEqual([{ type: 'news', text: 'obeyed' }]);
    expect(workers).toHaveLength(1);
  });

  test('a refusal is a sentence', async () => {
    const { channel } = open();
    await expect(channel.call('double', { value: -1 })).rejects.toThrow(
      'Negative values are not doubled.',
    );
  });

  test('a cancelled call rejects at once, and the work for it ends', async () => {
    const { channel, workers } = open();
    const abort = new AbortController();
    const call = channel.call('wait', {}, abort.signal);
    await turn();
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await turn();
    expect(workers[0]?.aborted).toBe(1);
    expect(await channel.call('double', { value: 4 })).toBe(8);
    await expect(channel.call('wait', {}, abort.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  test('a dead worker rejects what was waiting; the next call has a fresh one', async () => {
    const { channel, workers, heard } = open();
    const waiting = channel.call('wait', {});
    await turn();
    workers[0]?.die();
    await expect(waiting).rejects.toThrow('The worker stopped: out of memory.');
    expect(heard).toEqual([{ type: 'failed' }]);
    expect(await channel.call('double', { value: 5 })).toBe(10);
    expect(workers).toHaveLength(2);
  });
});
