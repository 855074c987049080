/**
 * What the papers say of training, put to the test on a race that ships with a policy. Contract: pure, over
 * recorded curves.
 */
import type { ShippedSeries } from '../../training/series';
import type { Claim } from '../experiment';
import { raceClaims } from './claims';
import { measureRace } from './measure';
import { predictRace } from './predict';

export function seriesClaims(shipped: readonly ShippedSeries[]): Claim[] {
  return raceClaims(predictRace(measureRace(shipped)));
}
