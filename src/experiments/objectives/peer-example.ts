/**
 * Three responses on which the libraries' conventions part ways: the inputs of `peer-cases.json`, whose
 * figures were computed with TRL's and verl's own arithmetic. Contract: constants, never a person's data;
 * `objectives.test.ts` holds them against that file.
 */
import type { ObjectiveBatch } from '../../math/objectives/types';

export const PEER_EXAMPLE: ObjectiveBatch = {
  offsets: Uint32Array.of(0, 2, 5, 10),
  logpOld: Float64Array.of(-0.5, -1.2, -2, -1.5, -3, -0.1, -1, -0.7, -2.2, -0.05),
  logpNew: Float64Array.of(-0.275, -0.9, -2.5, -0.3, -3.703, -0.05, -1.3, -0.68, -1.971, -0.048),
  advantage: Float64Array.of(1, -1, 0.5),
};
