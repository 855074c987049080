/**
 * What a rule is and what it finds. Contract: a rule is declared once, with what it measures, the threshold that
 * was fixed beforehand, the cause and what to change in which trainer; the report, the command's JSON, the page
 * and the table in the docs are made from it.
 */
import { TRAINER_IDS, TRAINERS, type TrainerId } from '../file/trainer-names';
import type { Carrier } from './evidence/carriers';
import type { Evidence } from './evidence/evidence';
import type { HealthTally } from './evidence/tally';

export type FindingLevel = 'note' | 'warning';

export interface Figure {
  label: string;
  value: number;
  /** how to print it: a share in percent, a count, or a number */
  as: 'share' | 'count' | 'number';
}

export const percent = (label: string, value: number): Figure => ({ label, value, as: 'share' });
export const number = (label: string, value: number): Figure => ({ label, value, as: 'number' });
export const count = (label: string, value: number): Figure => ({ label, value, as: 'count' });

/** "2.31 %" */
export const inPercent = (share: number): string =>
  `${share >= 0.9995 || share === 0 ? (100 * share).toFixed(0) : (100 * share).toPrecision(3)} %`;
/** "137", "0.00124", "1.4e-7" */
export const inDigits = (x: number): string => String(Number(x.toPrecision(3)));
export const counted = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;

/** What to change: everywhere, and the settings of each trainer. */
export type Remedy = { any: string } & Partial<Record<TrainerId, string>>;

/** @param trainer who wrote the data; null = not known, so that all are told */
export function remedyText(remedy: Remedy, trainer: TrainerId | null = null): string {
  const own = TRAINER_IDS.filter((id) => remedy[id] !== undefined && (!trainer || id === trainer));
  return [remedy.any, ...own.map((id) => `${TRAINERS[id]}: ${remedy[id]}`)].join(' ');
}

/** What a rule sees in the data. */
export interface Look {
  found: boolean;
  statistic: number;
  /** two-sided at CONFIDENCE; null where it is a plain count or too few prompts carry one */
  interval: [number, number] | null;
  figures: Figure[];
  carriers: readonly Carrier[];
  /** where the data says more than the rule does */
  title?: string;
  cause?: string;
  /** a sentence behind the cause */
  adds?: string;
  level?: FindingLevel;
  /** where the rule itself is about steps */
  firstStep?: number | null;
}

export interface Rule<Id extends string = string> {
  /** stable: documents and scripts name it */
  id: Id;
  level: FindingLevel;
  title: string;
  /** what a person notices in training, for the table in the docs */
  symptom: string;
  /** what `statistic` is, with its unit */
  measure: string;
  threshold: number;
  /** which side of the threshold is a finding, in words */
  fires: string;
  cause: string;
  remedy: Remedy;
  /** where the symptom or the law behind the rule stands */
  sources: readonly string[];
  /** findings that follow from this one, and would mislead beside it */
  hides: readonly string[];
  /** what the tokens of its figure show; null = no figure of tokens */
  shows: string | null;
  /** @returns null where the data cannot be asked (no such column, too few tokens) */
  look(evidence: Evidence, tally: HealthTally): Look | null;
}

export function rule<const Id extends string>(declared: Rule<Id>): Rule<Id> {
  return declared;
}

/** Findings that any fault of one column makes where it is held against another: no cause of their own then. */
export const FOLLOW_FROM_MISMATCH = [
  'temperature',
  'impossible-reach',
  'truncation',
  'sampler-mismatch',
  'k1-negative',
  'routing-tails',
] as const;

/** Findings that ratios of any size make, whatever made the ratios. */
export const FOLLOW_FROM_LARGE_RATIOS = [
  'overflow-token',
  'infinite-loss',
  'explosion',
  'clipping-always',
] as const;
