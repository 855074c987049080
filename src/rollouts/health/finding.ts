/** A finding of the health report: an observation by a stated rule, with the figures that it rests on. */

export type FindingLevel = 'fine' | 'note' | 'warning';

export interface Figure {
  label: string;
  value: number;
  /** how to print it: a share in percent, a count, or a number */
  as: 'share' | 'count' | 'number';
}

export interface Finding {
  id:
    | 'on-policy'
    | 'clipping'
    | 'explosion'
    | 'sampler'
    | 'truncation'
    | 'range'
    | 'precision'
    | 'signal'
    | 'cut';
  level: FindingLevel;
  title: string;
  detail: string;
  figures: Figure[];
}

export const percent = (label: string, value: number): Figure => ({ label, value, as: 'share' });
export const number = (label: string, value: number): Figure => ({ label, value, as: 'number' });
export const count = (label: string, value: number): Figure => ({ label, value, as: 'count' });

export function share(values: ArrayLike<number>, test: (x: number) => boolean): number {
  let hits = 0;
  for (let i = 0; i < values.length; i++) if (test(values[i] as number)) hits++;
  return values.length === 0 ? 0 : hits / values.length;
}

export function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i] as number));
  return max;
}
