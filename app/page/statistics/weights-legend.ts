/** The two weights and their log-normal predictions, named alike in every figure of the page. */
import type { LegendItem } from '../../charts/shapes';
import { SEQUENCE, UNNORMALISED } from './views';

export const LEGEND: readonly LegendItem[] = [
  { name: 's, sequence weight', mark: SEQUENCE.shape, colour: SEQUENCE.colour },
  { name: 'ρ, unnormalised', mark: UNNORMALISED.shape, colour: UNNORMALISED.colour },
  { name: 'log-normal, predicted', line: 'prediction' },
  {
    name: 'open: k̂ above 0.7 or unknown, do not rely on it',
    mark: 'circle',
    colour: '--ink-soft',
    hollow: true,
  },
];
