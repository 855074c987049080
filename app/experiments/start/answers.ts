/**
 * What the lab has found so far on each of its questions, from what ships with it: the ledger of a whole reproduction
 * and the recorded run. Contract: pure; every number is read from a record, none is written here; null where there is
 * no record.
 */
import type { Ledger, LedgerClaim } from '../../../src/engine/headless/reproduce';
import type { Verdict } from '../../../src/experiments/experiment';
import type { GroupId } from '../../../src/experiments/manifest';
import type { ObjectivesResult } from '../../../src/experiments/objectives';
import { count, counted, percent, significant } from '../../format/numbers';

/** What was found, and on what. */
export interface Answer {
  /** a sentence */
  words: string;
  /** one line of evidence each */
  lines: readonly { what: string; measured: string; verdict: Verdict | null }[];
  /** what it rests on; a clause */
  from: string;
}

export interface Records {
  ledger: Ledger | null;
  objectives: ObjectivesResult | null;
}

export const ANSWERS: Record<GroupId, (records: Records) => Answer | null> = {
  identity: ({ ledger }) => ledger && identity(ledger),
  law: ({ ledger }) => ledger && law(ledger),
  trainers: ({ objectives }) => objectives && trainers(objectives),
  train: ({ ledger }) => ledger && race(ledger),
  own: ({ ledger }) => ledger && reproduced(ledger),
};

const claimsOf = ({ claims }: Ledger, id: string) => claims.filter((claim) => claim.id === id);

function rests({ prompts, groupSize, backend, pairs, seed }: Ledger): string {
  return `${counted(pairs.length, 'pair')} of checkpoints, ${count(prompts)} prompts × ${count(groupSize)} responses each, on ${backend}, seed ${seed}`;
}

const pairTitle = ({ pairs }: Ledger, { pair }: LedgerClaim) =>
  pairs.find(({ id }) => id === pair)?.title ?? pair;

function withInterval({ measured, interval }: LedgerClaim): string {
  if (measured === null) return '–';
  const ends = interval?.map((end) => significant(end, 3)).join(', ');
  return `${significant(measured, 3)}${ends === undefined ? '' : ` [${ends}]`}`;
}

function identity(ledger: Ledger): Answer | null {
  const forms = [
    ['equivalence.geometric', 'geometric mean of ratios'],
    ['equivalence.perplexity', 'ratio of perplexities'],
    ['equivalence.entropy', 'change of cross-entropy'],
  ] as const;
  const found = forms.map(([id, what]) => ({ what, claims: claimsOf(ledger, id) }));
  const all = found.flatMap(({ claims }) => claims);
  if (all.length === 0) return null;
  const held = all.every(({ verdict }) => verdict === 'holds');
  return {
    words: held
      ? 'One number, written in three ways. They differ by rounding and nothing else.'
      : 'The three ways of writing it do not agree everywhere.',
    lines: found.map(({ what, claims }) => ({
      what,
      measured: `off by ${significant(Math.max(...claims.map(({ measured }) => measured ?? NaN)), 2)} at most`,
      verdict: claims.find(({ verdict }) => verdict !== 'holds')?.verdict ?? 'holds',
    })),
    from: rests(ledger),
  };
}

function law(ledger: Ledger): Answer | null {
  const levels = claimsOf(ledger, 'variance.level');
  if (levels.length === 0) return null;
  const others = levels.filter(({ verdict }) => verdict !== 'holds');
  const dependent = others.filter(({ pair }) =>
    ['dependence.covariance', 'dependence.prompt'].some((id) =>
      claimsOf(ledger, id).some(
        (claim) => claim.pair === pair && ['departs', 'fails'].includes(claim.verdict),
      ),
    ),
  );
  const why =
    dependent.length === 0
      ? ''
      : ` On ${dependent.length} of the ${others.length} others, tokens of a response or responses to a prompt are found to move together.`;
  return {
    words: `Averaging over L tokens divides the variance of log s by L on ${levels.length - others.length} of ${counted(levels.length, 'pair')}.${why} Measured over predicted variance:`,
    lines: levels.map((claim) => ({
      what: pairTitle(ledger, claim),
      measured: withInterval(claim),
      verdict: claim.verdict,
    })),
    from: rests(ledger),
  };
}

function trainers({ objectives, sequences }: ObjectivesResult): Answer | null {
  const shown = ['gspo', 'grpo'].flatMap((id) => objectives.filter((one) => one.id === id));
  const lines = shown.flatMap(({ id, trl, verl }) =>
    ([['TRL', trl] as const, ['verl', verl] as const] as const).flatMap(([library, found]) =>
      found === null || found.clipShare === null
        ? []
        : [
            {
              what: `${id.toUpperCase()} in ${library}`,
              measured: `${percent(found.clipShare, found.clipShare < 0.01 ? 3 : 1)} clipped`,
              verdict: null,
            },
          ],
    ),
  );
  const [gspo, grpo] = ['gspo', 'grpo'].map(
    (id) => objectives.find((one) => one.id === id)?.trl?.clipShare ?? null,
  );
  if (lines.length === 0) return null;
  const times =
    gspo && grpo ? ` clips ${significant(gspo / grpo, 2)} times as much as GRPO` : ' clips';
  return {
    words: `On the same rollouts, each at its published band, GSPO${times} as TRL counts it: whole responses, where verl counts their tokens.`,
    lines,
    from: `the recorded run, ${counted(sequences, 'response')}`,
  };
}

function race(ledger: Ledger): Answer | null {
  const shown = [
    ['series.gspo-accuracy', 'GSPO, gain in held-out accuracy'],
    ['series.grpo-accuracy', 'GRPO, gain in held-out accuracy'],
    ['series.clip-shares', 'GSPO’s clip share over GRPO’s, powers of ten'],
  ] as const;
  const lines = shown.flatMap(([id, what]) =>
    claimsOf(ledger, id).map((claim) => ({
      what,
      measured: withInterval(claim),
      verdict: claim.verdict,
    })),
  );
  const steps = claimsOf(ledger, 'series.clip-shares')[0]?.n;
  if (lines.length === 0 || steps === undefined) return null;
  return {
    words: lines.every(({ verdict }) => verdict === 'holds')
      ? 'Both get better, and GSPO clips more by orders of magnitude on the way.'
      : 'What the race’s claims came to:',
    lines,
    from: `the race behind the shipped checkpoints, ${counted(steps, 'step')}`,
  };
}

function reproduced(ledger: Ledger): Answer {
  const order: readonly Verdict[] = ['holds', 'departs', 'fails', 'undecided', 'not applicable'];
  const tally = order
    .map((verdict) => ({
      verdict,
      n: ledger.claims.filter((claim) => claim.verdict === verdict).length,
    }))
    .filter(({ n }) => n > 0);
  return {
    words: `Of ${counted(ledger.claims.length, 'claim')} put to the test on the shipped policies, each with a margin fixed beforehand:`,
    lines: tally.map(({ verdict, n }) => ({ what: counted(n, 'claim'), measured: '', verdict })),
    from: rests(ledger),
  };
}
