/** The axis of response lengths: logarithmic, with a little room at both ends. */
import { logDomainOf, useAxis } from '../../charts/axes';
import type { Scale } from '../../charts/scale';

/** @param lengths of every point that is drawn, tokens */
export function useLengthAxis(lengths: Iterable<number>, axesKey: string, ticks = 6): Scale {
  return useAxis('log', logDomainOf(lengths, 0.03), axesKey, ticks);
}
