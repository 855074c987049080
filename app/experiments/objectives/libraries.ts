/** The two libraries as charts and tables show them. */
import type { Library } from '../../../src/math/objectives/types';

export const LIBRARY_VIEWS = [
  { library: 'trl', name: 'TRL', colour: '--series-gspo', shape: 'circle' },
  { library: 'verl', name: 'verl', colour: '--series-dapo', shape: 'square' },
] as const satisfies readonly { library: Library; name: string; colour: string; shape: string }[];
