/**
 * The worker's end: every call is answered once, with its reply or with the sentence that refuses it.
 * Contract: a call that was cancelled is aborted by its signal, and nobody hears of it any more.
 */
import { message } from '../../message';
import type { Answer, Calls } from './wire';

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
