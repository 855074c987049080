/** A worker that has others started by its page: the messages, and who ends with whom. */
import { afterEach, expect, test } from 'vitest';
import type { Wire } from './channel';
import { PageWorkers, withWorkers } from './page-workers';

/** A worker of which only its wire is there: what it is sent, and what it says by `onmessage`. */
class FakeWorker {
  onmessage: Worker['onmessage'] = null;
  onerror: Worker['onerror'] = null;
  readonly sent: unknown[] = [];
  readonly ports: MessagePort[] = [];
  ended = false;

  postMessage(message: unknown, transfer: readonly MessagePort[] = []): void {
    this.sent.push(message);
    this.ports.push(...transfer);
  }

  terminate(): void {
    this.ended = true;
  }
}

const ports: MessagePort[] = [];
afterEach(() => ports.splice(0).forEach((port) => port.close()));

function open() {
  const worker = new FakeWorker();
  const started: FakeWorker[] = [];
  const wire = withWorkers(worker as unknown as Worker, () => {
    started.push(new FakeWorker());
    return started.at(-1) as unknown as Worker;
  });
  const inside = new PageWorkers();
  const [offer] = worker.sent;
  ports.push(...worker.ports);
  return { worker, wire, started, inside, offer };
}

const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 1));
};

function heardBy(wire: Wire): unknown[] {
  const heard: unknown[] = [];
  wire.onmessage = ({ data }) => heard.push(data);
  return heard;
}

test('the page starts what the worker wants, and the two talk directly', async () => {
  const { worker, started, inside, offer } = open();
  expect(inside.hear({ type: 'start' })).toBe(false);
  expect(inside.hear(offer)).toBe(true);
  const wires = [inside.start(), inside.start()];
  const heard = wires.map(heardBy);
  await until(() => started.length === 2 && started.every(({ ports }) => ports.length === 1));
  started.forEach(({ ports: [port] }, i) => {
    ports.push(port);
    port.onmessage = ({ data }) => port.postMessage(`${data} to ${i}`);
  });
  wires.forEach((wire) => wire.postMessage('answer'));
  await until(() => heard.every(({ length }) => length === 1));
  expect(heard).toEqual([['answer to 0'], ['answer to 1']]);
  // Nothing of it has gone through the worker's own wire.
  expect(worker.sent).toHaveLength(1);
});

test('one that is ended or fails is that one alone; all end with the worker', async () => {
  const { worker, wire, started, inside, offer } = open();
  inside.hear(offer);
  const wires = [inside.start(), inside.start(), inside.start()];
  const failures: (string | undefined)[] = [];
  wires.forEach((one, i) => {
    one.onerror = (event) => failures.push(`${i}: ${(event as ErrorEvent).message}`);
  });
  await until(() => started.length === 3);
  wires[0].terminate();
  const error = { message: 'out of memory', preventDefault: () => undefined } as ErrorEvent;
  started[1].onerror?.call(started[1] as unknown as Worker, error);
  await until(() => started[0].ended && failures.length === 1);
  expect(failures).toEqual(['1: out of memory']);
  expect(started.map(({ ended }) => ended)).toEqual([true, false, false]);
  wire.terminate();
  expect(started.map(({ ended }) => ended)).toEqual([true, true, true]);
  expect(worker.ended).toBe(true);
});
