/**
 * What a finished race found, and whether a repetition found the same. Contract: pure.
 *
 * On one backend the arithmetic is the same, so the curves are the same, hash for hash. Another backend
 * rounds differently: a sampled token differs sooner or later, and from there the races are two draws of the
 * same experiment. Then shares are compared within the sum of their 95 % intervals' half-widths.
 */
import type { RaceFound } from './race';

/** Per step: share of right responses, responses, and the last evaluation. */
export interface RacerCurve {
  rewards: readonly number[];
  responsesPerStep: number;
  heldOut: { correct: number; prompts: number } | null;
}

/** 32-bit FNV-1a over the rewards, as counts of right responses. */
function hashOf({ rewards, responsesPerStep }: RacerCurve): number {
  let hash = 0x811c9dc5;
  for (const reward of rewards) {
    const right = Math.round(reward * responsesPerStep);
    for (let shift = 0; shift < 32; shift += 8) {
      hash = Math.imul(hash ^ ((right >>> shift) & 0xff), 0x01000193);
    }
  }
  return hash >>> 0;
}

export function foundOf(backend: RaceFound['backend'], curves: readonly RacerCurve[]): RaceFound {
  return {
    backend,
    racers: curves.map((curve) => {
      const { rewards, responsesPerStep, heldOut } = curve;
      const last = rewards.slice(-Math.max(1, Math.ceil(rewards.length / 4)));
      return {
        hash: hashOf(curve),
        // As a link holds it, so that what was written and what is read are equal.
        reward: Math.fround(last.reduce((sum, r) => sum + r, 0) / Math.max(1, last.length)),
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

/** @returns null where the two are of different sizes: a link that was tampered with */
export function compareRaces(link: RaceFound, here: RaceFound): RacerComparison[] | null {
  if (link.racers.length !== here.racers.length) return null;
  return link.racers.map((theirs, i) => {
    const ours = here.racers[i] as RaceFound['racers'][number];
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
export function racesAgree(link: RaceFound, here: RaceFound): boolean {
  const compared = compareRaces(link, here);
  if (compared === null) return false;
  return compared.every(({ sameCurve, shares }) =>
    link.backend === here.backend
      ? sameCurve && shares.every(({ link: a, here: b }) => Math.abs(a - b) < 1e-6)
      : shares.every(({ within }) => within),
  );
}
