/** What crosses between a page and a worker, derived from the calls that the worker answers. */

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
