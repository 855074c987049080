/**
 * The responses and tokens that carry a finding. Contract: of each kind the KEPT with the highest score, ties in
 * the order of step, group and sample, so that merged parts keep the same ones as a single pass.
 */

/** carriers kept of each kind */
export const KEPT = 5;
/** tokens of an excerpt */
export const EXCERPT = 33;

/** Log-probs around the token, as the files have them. */
export interface Excerpt {
  /** position of the first one in its response */
  from: number;
  old: number[];
  new: number[];
  sampler: number[] | null;
}

export interface Carrier {
  step: number | null;
  group: string | number;
  /** "run.jsonl, line 12"; null where the source is no file */
  at: string | null;
  /** within the group; null where the whole group carries it */
  sample: number | null;
  /** response tokens [from, to); null where it is the whole response */
  tokens: [number, number] | null;
  score: number;
  /** of the first of each kind */
  excerpt: Excerpt | null;
}

export const CARRIER_KINDS = [
  'zeros',
  'run.old',
  'run.new',
  'run.sampler',
  'end.old',
  'end.new',
  'end.sampler',
  'lowest.old',
  'lowest.new',
  'lowest.sampler',
  'unlikely',
  'falling',
  'constant',
  'filler',
  'pair.so',
  'token',
  'response',
  'advantage',
  'cut',
  'copy',
] as const;
export type CarrierKind = (typeof CARRIER_KINDS)[number];

function order(a: Carrier, b: Carrier): number {
  if (a.score !== b.score) return b.score - a.score;
  if (a.step !== b.step) return (a.step ?? -1) - (b.step ?? -1);
  const [left, right] = [String(a.group), String(b.group)];
  if (left !== right) return left < right ? -1 : 1;
  return (a.sample ?? 0) - (b.sample ?? 0);
}

/** The best of both lists. */
export function best(a: readonly Carrier[], b: readonly Carrier[], kept = KEPT): Carrier[] {
  return [...a, ...b].sort(order).slice(0, kept);
}

/** Adds to a list of the best in place; the carrier is made only if it belongs there. */
export function offer(list: Carrier[], score: number, make: () => Carrier): void {
  const last = list[KEPT - 1];
  if (last && !(score >= last.score)) return;
  list.push(make());
  list.sort(order);
  list.length = Math.min(list.length, KEPT);
}
