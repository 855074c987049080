/**
 * The health report: what stands out in a set of rollouts before anyone looks at an experiment, with the cause,
 * the figure behind it, the tokens that show it and what to change. Contract: a pure function of a tally, which
 * merges; thresholds are those declared with the rules; a rule whose finding follows from another's is not told
 * beside it. The shape of `findings` is the documented one of `analyze --json`.
 */
import type { TrainerId } from '../file/trainer-names';
import { sequenceCount, tokenCount, type Rollouts } from '../rollouts';
import { distributionsOf, type Distribution } from './distributions';
import type { Carrier } from './evidence/carriers';
import { wholeEvidence, type Evidence } from './evidence/evidence';
import { DEFAULT_BANDS, type Bands } from './evidence/measure';
import { HealthTally, type HealthBatch } from './evidence/tally';
import { remedyText, type Figure, type FindingLevel, type Look, type Rule } from './finding';
import { RULES, type RuleId } from './rules';
import { stepEvidence, stepFigures, type StepFigures } from './steps';

export type { Figure, FindingLevel } from './finding';
export type { RuleId } from './rules';
export type { StepFigures } from './steps';

/** A response, and where in it; positions are of response tokens, counted from 0. */
export interface TokenRange {
  /** "run.jsonl, number 12" */
  at: string | null;
  step: number | null;
  group: string | number;
  sample: number | null;
  from: number;
  to: number;
}

export interface Finding {
  id: RuleId;
  level: FindingLevel;
  title: string;
  /** what `statistic` is, with its unit */
  measure: string;
  /** null where it is beyond what a number holds */
  statistic: number | null;
  interval: [number, number] | null;
  threshold: number;
  /** on which side of the threshold it is a finding */
  fires: string;
  /** those that carry it, the clearest first; at most 5 */
  responses: Omit<TokenRange, 'from' | 'to'>[];
  tokens: TokenRange[];
  cause: string;
  remedy: string;
  figures: Figure[];
  sources: readonly string[];
  /** first training step at which the rule fires by itself; null where no step does or files name none */
  firstStep: number | null;
  /** findings that follow from this one and are not told */
  hidden: RuleId[];
  /** log-probs around the tokens that show it; null where the rule is not about tokens */
  excerpt: { shows: string; of: TokenRange; values: NonNullable<Carrier['excerpt']> } | null;
}

/** A rule that looked and found nothing. */
export interface Passed {
  id: RuleId;
  title: string;
  measure: string;
  statistic: number | null;
  interval: [number, number] | null;
  threshold: number;
}

export interface HealthReport {
  sequences: number;
  tokens: number;
  groups: number;
  bands: Bands;
  /** who wrote the files, where the names of their columns tell */
  trainer: TrainerId | null;
  findings: Finding[];
  passed: Passed[];
  /** rules that the data could not be asked: no such column, too few tokens */
  notAsked: RuleId[];
  /** of the bands above; what clips and what lies outside */
  clipping: Figure[];
  /** share of responses that were cut; null where the data does not say */
  cut: number | null;
  steps: StepFigures[];
  /** of log ratios, for figures */
  distributions: Distribution[];
}

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

function rangeOf({ at, step, group, sample, tokens }: Carrier): TokenRange | null {
  return tokens ? { at, step, group, sample, from: tokens[0], to: tokens[1] } : null;
}

function excerptOf(shows: string | null, carriers: readonly Carrier[]): Finding['excerpt'] {
  const [first] = carriers;
  if (shows === null || !first?.excerpt) return null;
  const { from, old } = first.excerpt;
  const { at, step, group, sample } = first;
  const of = rangeOf(first) ?? { at, step, group, sample, from, to: from + old.length };
  return { shows, of, values: first.excerpt };
}

/** A rule that fires at so many of the steps, and at two or more, is told though the whole does not show it. */
const STEPS_SHARE = 0.1;

interface Firing {
  step: number;
  tokens: number;
  look: Look;
}

/** Notes about the size of a step are no news; warnings are. */
function inSteps(
  rule: Rule,
  steps: readonly { step: number; evidence: Evidence }[],
  tally: HealthTally,
): Firing[] {
  return steps.flatMap(({ step, evidence }) => {
    const look = rule.look(evidence, tally);
    return look?.found && (look.level ?? rule.level) === 'warning'
      ? [{ step, tokens: evidence.count('tokens'), look }]
      : [];
  });
}

const largestLook = (firing: readonly Firing[]): Look =>
  firing.reduce((a, b) => (b.tokens > a.tokens ? b : a)).look;

/** Looks once at the whole, and at each step for the first one that shows it. */
export function reportOf(tally: HealthTally): HealthReport {
  const whole = wholeEvidence(tally);
  const byStep = tally.steps.size > 1 ? stepEvidence(tally) : [];
  const notAsked: RuleId[] = [];
  const passed: Passed[] = [];
  const found: Finding[] = [];
  const hides = new Map<RuleId, readonly string[]>();
  // All responses may have been left out, for what stands in a column.
  const empty = whole.count('responses') === 0;
  for (const rule of RULES as readonly (Rule & { id: RuleId })[]) {
    const overall = empty && rule.id !== 'impossible-values' ? null : rule.look(whole, tally);
    const firing = inSteps(rule, byStep, tally);
    // What begins in the middle of a run may be lost in the whole; steps of their own show it.
    const only =
      overall?.found !== true && firing.length >= Math.max(2, STEPS_SHARE * byStep.length);
    const look = only ? largestLook(firing) : overall;
    const { id, measure, threshold } = rule;
    if (look === null) {
      notAsked.push(id);
      continue;
    }
    const { statistic, interval } = look;
    if (!look.found) {
      passed.push({
        id,
        title: rule.title,
        measure,
        statistic: finite(statistic),
        interval,
        threshold,
      });
      continue;
    }
    hides.set(id, rule.hides);
    const firstStep = look.firstStep !== undefined ? look.firstStep : (firing[0]?.step ?? null);
    const several =
      only && firing.length > 0
        ? `Seen at ${firing.length} of ${byStep.length} training steps, first at step ${firstStep}; the figures are those of one of them.`
        : '';
    found.push({
      id,
      level: look.level ?? rule.level,
      title: look.title ?? rule.title,
      measure,
      statistic: finite(statistic),
      interval,
      threshold,
      fires: rule.fires,
      responses: look.carriers.map(({ at, step, group, sample }) => ({ at, step, group, sample })),
      tokens: look.carriers.flatMap((one) => rangeOf(one) ?? []),
      cause: [look.cause ?? rule.cause, look.adds ?? '', several]
        .filter((text) => text !== '')
        .join(' '),
      remedy: remedyText(rule.remedy, tally.trainer),
      figures: look.figures,
      sources: rule.sources,
      firstStep,
      hidden: [],
      excerpt: excerptOf(rule.shows, look.carriers),
    });
  }
  const findings = found.filter((finding) => {
    // Of two that hide each other the earlier is told.
    const by = found.find(
      (other, i) =>
        (hides.get(other.id) ?? []).includes(finding.id) &&
        !((hides.get(finding.id) ?? []).includes(other.id) && found.indexOf(finding) < i),
    );
    by?.hidden.push(finding.id);
    return by === undefined;
  });
  const { tally: all } = whole;
  const [tokens, responses] = [whole.count('tokens'), whole.count('responses')];
  const known = whole.count('cutKnown');
  const share = (label: string, hits: number, of: number): Figure => ({
    label,
    value: hits / of,
    as: 'share',
  });
  const { token, sequence } = tally.bands;
  return {
    sequences: responses,
    tokens,
    groups: all.groups.size,
    bands: tally.bands,
    trainer: tally.trainer,
    findings,
    passed,
    notAsked,
    clipping:
      empty || !whole.hasUpdate()
        ? []
        : [
            share(
              `tokens clipped at ${token.low}/${token.high}`,
              whole.count('tokensClipped'),
              tokens,
            ),
            share(
              `responses clipped at ${sequence.low}/${sequence.high}`,
              whole.count('responsesClipped'),
              responses,
            ),
            share('token ratios outside the token band', whole.count('tokensOutside'), tokens),
            share(
              'sequence weights outside the sequence band',
              whole.count('responsesOutside'),
              responses,
            ),
          ],
    cut: known === 0 ? null : whole.count('cut') / known,
    steps: stepFigures(tally),
    distributions: distributionsOf(whole),
  };
}

/** @param data none of its responses is empty */
export function healthReport(
  data: Rollouts | HealthBatch,
  bands: Bands = DEFAULT_BANDS,
): HealthReport {
  const batch = 'rollouts' in data ? data : { rollouts: data };
  const tally = new HealthTally(bands);
  tally.add(batch);
  const report = reportOf(tally);
  // An engine's run may hold prompts without responses.
  return {
    ...report,
    sequences: sequenceCount(batch.rollouts),
    tokens: tokenCount(batch.rollouts),
    groups: batch.rollouts.prompts.length,
  };
}
