/**
 * All rules, in the order in which their findings are told: what is wrong with the columns, what two columns say
 * of each other, groups and advantages, the ratio, and advice about clip ranges last. Contract: `id` is unique
 * and stable; every id in `hides` is one of these.
 */
import type { Rule } from '../finding';
import * as columns from './columns';
import * as fillers from './fillers';
import * as groups from './groups';
import { impossibleValues } from './impossible';
import * as pairs from './pairs';
import * as places from './places';
import * as ratios from './ratios';
import { growingMismatch } from './steps';

export const RULES = [
  impossibleValues,
  fillers.padding,
  fillers.fillerRun,
  fillers.filler,
  columns.sequenceSums,
  columns.cumulative,
  columns.constantColumn,
  places.shifted,
  fillers.endToken,
  fillers.floorValue,
  fillers.endZeros,
  pairs.copied,
  places.constantOffset,
  columns.logarithmBase,
  columns.unlikelyTokens,
  places.unrelated,
  pairs.temperature,
  pairs.impossibleReach,
  pairs.truncation,
  groups.duplicates,
  groups.uidPerResponse,
  groups.groupOfOne,
  groups.advantageSign,
  groups.advantageOrder,
  groups.advantageSize,
  groups.advantagesZero,
  ratios.overflowToken,
  ratios.infiniteLoss,
  growingMismatch,
  pairs.routingTails,
  pairs.samplerMismatch,
  pairs.negativeKl,
  columns.precision,
  ratios.onPolicy,
  ratios.onPolicyNoise,
  ratios.explosion,
  groups.noSignal,
  groups.cut,
  ratios.clippingAlways,
  ratios.clippingNever,
] as const satisfies readonly Rule[];

export type RuleId = (typeof RULES)[number]['id'];
