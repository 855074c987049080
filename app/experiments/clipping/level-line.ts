/**
 * Where on the clip map a run clips a given share: epsilon high over epsilon low. Contract: shares on the
 * high side fall with epsilon and the sides add up, so there is at most one epsilon high for each low one;
 * between grid points the share is taken as linear in log epsilon.
 */
import type { ClipMap } from '../../../src/experiments/clipping';

/** What the maps show: the share clipped, or the gradient mass kept. */
export type Quantity = 'clipped' | 'kept';

/** @param level share clipped, or gradient mass kept, by `quantity` */
export function levelLine(map: ClipMap, quantity: Quantity, level: number): [number, number][] {
  const side = quantity === 'clipped' ? ('clipped' as const) : ('massLost' as const);
  const sum = quantity === 'clipped' ? level : 1 - map.ceilingLost - level;
  const { epsilon } = map;
  const high = map.high[side];
  const points: [number, number][] = [];
  map.low[side].forEach((low, i) => {
    const wanted = sum - low;
    // The last grid point at which more than that is outside on the high side.
    let k = -1;
    while (k + 1 < high.length && (high[k + 1] as number) > wanted) k++;
    if (k < 0 || k + 1 >= high.length) return;
    const [above, below] = [high[k] as number, high[k + 1] as number];
    const part = (above - wanted) / (above - below);
    const [from, to] = [epsilon[k] as number, epsilon[k + 1] as number];
    points.push([epsilon[i] as number, from * (to / from) ** part]);
  });
  return points;
}
