/**
 * A thread that computes for seconds yields to its event loop now and then. Contract: between two turns there
 * is about INTERVAL of work, so that whoever waits (a cancel, a question, bytes of a file) does not wait for
 * the end of it.
 */

/** ms */
const INTERVAL = 50;

export class Yielder {
  private since = performance.now();

  /** To be awaited between pieces of work: mostly returns at once. */
  async pause(): Promise<void> {
    if (performance.now() - this.since < INTERVAL) return;
    await turn();
    this.since = performance.now();
  }
}

/** One turn of the event loop; a timer would wait for milliseconds, which add up. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
