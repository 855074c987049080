/**
 * The result of a finished race, as a link holds it, and whether a repetition came to the same. Contract: pure.
 *
 * On one backend the arithmetic is the same, so the curves are the same, hash for hash. Another backend
 * rounds differently: a sampled token differs sooner or later, and from there the races are two draws of the
 * same experiment. Then shares are compared within the sum of their 95 % intervals' half-widths.
 */
import * as v from 'valibot';
import { text } from '../settings/setting';
import { MAX_RACERS, type TrainingSettings } from '../settings/training';
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from './bytes';

/** What a finished race came to, racer by racer: enough to see whether a repetition agrees. */
export interface RaceResult {
  /** one training thread's arithmetic is exact; another backend's rounds differently */
  backend: 'webgpu' | 'wasm';
  /** first 32 bits of the hash of all claims when the race was run; null: a link of before races said so */
  claims: number | null;
  racers: {
    /** rewards of every step, as a hash: the same hash, the same curve */
    hash: number;
    /** mean reward over the last quarter of the steps, and of how many responses */
    reward: number;
    responses: number;
    /** of the last evaluation; 0 prompts: there was none */
    heldOut: number;
    heldOutPrompts: number;
  }[];
}

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const resultSchema = v.nullable(
  v.strictObject({
    backend: v.picklist(['webgpu', 'wasm']),
    claims: v.nullable(amount),
    racers: v.pipe(
      v.array(
        v.strictObject({
          hash: amount,
          reward: share,
          responses: amount,
          heldOut: share,
          heldOutPrompts: amount,
        }),
      ),
      v.minLength(1),
      v.maxLength(MAX_RACERS),
    ),
  }),
);

/**
 * 2: lengths count beside rewards; 3: the claims' hash as well. Of version 1 the settings open, and its result is named
 * as unreadable.
 */
const VERSION = 3;
const VERSION_WITHOUT_CLAIMS = 2;

function writeResult(result: RaceResult | null): string {
  if (result === null) return 'none';
  const out = new ByteWriter();
  out.byte(result.claims === null ? VERSION_WITHOUT_CLAIMS : VERSION);
  out.byte(result.backend === 'webgpu' ? 1 : 0);
  if (result.claims !== null) out.word(result.claims);
  for (const racer of result.racers) {
    out.word(racer.hash);
    out.float32(racer.reward);
    out.count(racer.responses);
    out.float32(racer.heldOut);
    out.count(racer.heldOutPrompts);
  }
  return toBase64Url(out.done());
}

function readResult(text: string): unknown {
  if (text === 'none') return null;
  const bytes = text.length > 200 ? null : fromBase64Url(text);
  if (bytes === null) return undefined;
  try {
    const from = new ByteReader(bytes);
    const version = from.byte();
    if (version !== VERSION && version !== VERSION_WITHOUT_CLAIMS) return undefined;
    const flag = from.byte();
    if (flag > 1) return undefined;
    const claims = version === VERSION ? from.word() : null;
    const racers: RaceResult['racers'] = [];
    while (from.left > 0) {
      racers.push({
        hash: from.word(),
        reward: from.float32(),
        responses: from.count(),
        heldOut: from.float32(),
        heldOutPrompts: from.count(),
      });
    }
    return { backend: flag === 1 ? 'webgpu' : 'wasm', claims, racers };
  } catch {
    return undefined;
  }
}

/** Among the choices of the Train page: the result of the race of whoever made the link. */
export const raceResult = text<RaceResult | null>(
  resultSchema,
  { may: 'what a finished race writes, or none', parse: readResult, write: writeResult },
  null,
  { label: 'Result of the link’s race' },
);

/** What counts of a step's report. */
export interface RaceStep {
  /** share of right responses */
  reward: number;
  /** tokens of a response, mean */
  meanLength: number;
  /** null where nothing was evaluated */
  heldOut: { correct: number; prompts: number } | null;
}

/** 32-bit FNV-1a over counts of right responses and of tokens: where nothing is right, lengths still tell. */
function hashOf(steps: readonly RaceStep[], responsesPerStep: number): number {
  let hash = 0x811c9dc5;
  for (const { reward, meanLength } of steps) {
    for (const mean of [reward, meanLength]) {
      const count = Math.round(mean * responsesPerStep);
      for (let shift = 0; shift < 32; shift += 8) {
        hash = Math.imul(hash ^ ((count >>> shift) & 0xff), 0x01000193);
      }
    }
  }
  return hash >>> 0;
}

/**
 * @param claims first 32 bits of the hash of all claims
 * @param reports steps by racer, whole
 */
export function raceResultOf(
  backend: RaceResult['backend'],
  claims: number,
  { prompts, groupSize }: Pick<TrainingSettings, 'prompts' | 'groupSize'>,
  reports: readonly (readonly RaceStep[])[],
): RaceResult {
  const responsesPerStep = prompts * groupSize;
  return {
    backend,
    claims,
    racers: reports.map((steps) => {
      const last = steps.slice(-Math.max(1, Math.ceil(steps.length / 4)));
      const heldOut = steps.findLast((step) => step.heldOut !== null)?.heldOut ?? null;
      const sum = last.reduce((all, { reward }) => all + reward, 0);
      return {
        hash: hashOf(steps, responsesPerStep),
        // As a link holds it, so that what was written and what is read are equal.
        reward: Math.fround(sum / Math.max(1, last.length)),
        responses: last.length * responsesPerStep,
        heldOut: Math.fround(heldOut ? heldOut.correct / heldOut.prompts : 0),
        heldOutPrompts: heldOut?.prompts ?? 0,
      };
    }),
  };
}

export interface ShareComparison {
  what: 'reward' | 'held-out';
  link: number;
  here: number;
  tolerance: number;
  within: boolean;
}

export interface RacerComparison {
  sameCurve: boolean;
  shares: ShareComparison[];
}

/** Half-width of a share's 95 % interval; a share at 0 or 1 counts as half a response from it. */
function halfWidth(share: number, n: number): number {
  const p = Math.min(Math.max(share, 0.5 / n), 1 - 0.5 / n);
  return 1.96 * Math.sqrt((p * (1 - p)) / n);
}

function compareShares(
  what: ShareComparison['what'],
  [link, linkN]: [number, number],
  [here, hereN]: [number, number],
): ShareComparison[] {
  if (linkN === 0 || hereN === 0) return [];
  const tolerance = halfWidth(link, linkN) + halfWidth(here, hereN);
  return [{ what, link, here, tolerance, within: Math.abs(link - here) <= tolerance }];
}

/** @returns null where the two are of different sizes: of a link that was tampered with */
export function compareRaces(link: RaceResult, here: RaceResult): RacerComparison[] | null {
  if (link.racers.length !== here.racers.length) return null;
  return link.racers.map((theirs, i) => {
    const ours = here.racers[i] as RaceResult['racers'][number];
    return {
      sameCurve: theirs.hash === ours.hash,
      shares: [
        ...compareShares(
          'reward',
          [theirs.reward, theirs.responses],
          [ours.reward, ours.responses],
        ),
        ...compareShares(
          'held-out',
          [theirs.heldOut, theirs.heldOutPrompts],
          [ours.heldOut, ours.heldOutPrompts],
        ),
      ],
    };
  });
}

/** On one backend the curves must be the same; across backends, the shares within their tolerance. */
export function racesAgree(link: RaceResult, here: RaceResult): boolean {
  const compared = compareRaces(link, here);
  if (compared === null) return false;
  return compared.every(({ sameCurve, shares }) =>
    link.backend === here.backend
      ? sameCurve && shares.every(({ link: a, here: b }) => Math.abs(a - b) < 1e-6)
      : shares.every(({ within }) => within),
  );
}

export interface RaceComparison {
  same: boolean;
  /** then all must be the very same; else shares within their tolerance */
  sameBackend: boolean;
  /** null where the link's race had another number of racers */
  racers: RacerComparison[] | null;
  /** what a reader must know where the lab's claims have changed since; null: they have not */
  otherClaims: string | null;
}

/** Curves are compared whatever the claims are; verdicts on them may differ, and a reader is told. */
function otherClaims(link: RaceResult, here: RaceResult): string | null {
  if (link.claims === here.claims) return null;
  return link.claims === null
    ? 'The link is of a time before races said by which claims they are judged; rewards and lengths are compared all the same.'
    : 'The lab’s claims have changed since the link was made; rewards and lengths, which do not depend on them, are compared all the same.';
}

export function comparisonOf(link: RaceResult, here: RaceResult): RaceComparison {
  return {
    same: racesAgree(link, here),
    sameBackend: link.backend === here.backend,
    racers: compareRaces(link, here),
    otherClaims: otherClaims(link, here),
  };
}
