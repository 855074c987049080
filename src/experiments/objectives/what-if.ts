/**
 * What if: the same rollouts under other objectives, bands or corrections, side by side. Contract: pure float64;
 * the first variant is the one that the others are compared with.
 *
 * A variant as text: `OBJECTIVE[.LIBRARY][@LOW/HIGH][+OPTION]...[+CORRECTION[=LOW/HIGH]]`, such as `gspo`, `gspo.verl`,
 * `dapo@0.2/0.28`, `grpo+sequence-mask=none/3`. LIBRARY is trl or verl, of GSPO tinker and roll as well; where left out TRL's settings or else
 * verl's. A band replaces the objective's epsilons, whatever they are of.
 *
 * `+bypass[+CORRECTION]` in place of the correction is verl's `bypass_mode` (verl 0.10.0.dev, 1dda039,
 * `core_algos.py`, `compute_policy_loss_bypass_mode`), of its clipped token ratio and of REINFORCE: log pi_old is
 * the sampler's, and the correction is by pi_theta / pi_sampler; of it PPO's clip takes the rejection only.
 *
 * `+top-entropy=Q` after an objective of TRL's `GRPOTrainer` is its `top_entropy_quantile`
 * (`math/objectives/high-entropy.ts`), by the entropies of pi_theta or, where a source has none, of pi_old; it goes
 * with a correction, in either order. So do `+beta=B`, its `beta` times k3 against the reference policy, and
 * `+corrected-beta=B`, the same with `use_bias_correction_kl` (`math/objectives/reference-penalty.ts`).
 *
 * `+advantages=RULE` takes advantages from the rewards by another rule than the source's: those of
 * `groupAdvantages`, `gdpo` (of the parts of the reward) or `optimal_token_baseline` (verl's, per token, by
 * `collision_old`, with the correction's weights squared into it).
 *
 * A token is clipped when its A is not 0 and no gradient passes its gate; a response has changed sides when it
 * gets gradient under one variant and none under the other.
 */
import { CORRECTION_IDS } from '../../math/diagnostics/corrections';
import { effectiveSampleShare } from '../../math/diagnostics/divergence';
import {
  gdpoAdvantages,
  groupAdvantages,
  optimalTokenAdvantages,
  VARIANT_ADVANTAGES,
  type VariantAdvantages,
} from '../../math/objectives/advantages';
import { elsewhere } from '../../math/objectives/elsewhere';
import { evaluateObjective, type TokenOptions } from '../../math/objectives/evaluate';
import { highEntropyMask, takesTokenOptions } from '../../math/objectives/high-entropy';
import {
  kindOf,
  objective,
  OBJECTIVE_IDS,
  recommended,
  settingsIn,
  withBand,
  type ObjectiveId,
  type ObjectiveSettings,
} from '../../math/objectives/registry';
import { RATIO_MASK, sequenceCount, type FloatArray, type Rollouts } from '../../rollouts/rollouts';
import { responseLengths } from '../shared/input';
import { bypasses } from './settings';
import { applyCorrection, NO_CORRECTION, type CorrectionSettings } from '../shared/settings';

export class VariantError extends Error {
  override name = 'VariantError';
}

/** Tinker's and ROLL's are GSPO's only (`math/objectives/elsewhere.ts`). */
const LIBRARIES = ['trl', 'verl', 'tinker', 'roll'] as const;
export type VariantLibrary = (typeof LIBRARIES)[number];

export interface Variant {
  objective: ObjectiveId;
  /** null: TRL's settings, or verl's where TRL has no such objective */
  library: VariantLibrary | null;
  /** null: the published epsilons */
  band: { low: number; high: number } | null;
  correction: CorrectionSettings;
  /** the sampler's log-probs stand for log pi_old */
  bypass: boolean;
  /** TRL's `top_entropy_quantile`; null: all tokens keep their loss */
  topEntropy: number | null;
  /** TRL's `beta`, and its `use_bias_correction_kl`; null: no penalty */
  beta: { value: number; corrected: boolean } | null;
  /** null: the source's own */
  advantages: VariantAdvantages | null;
}

export interface WhatIfSide {
  /** the variant as text, with the library that its settings come from */
  name: string;
  library: VariantLibrary;
  /** what is clipped, in words, with its epsilons; of Clip-Cov the covariances that it takes from as well */
  clips: string;
  loss: number;
  /** sum over tokens of |d loss / d log pi| */
  mass: number;
  /** tokens with A != 0 that get no gradient, and those of them behind the objective's own gate */
  silentTokens: number;
  clippedTokens: number;
  /** what the library itself logs as its clip share; null where it logs none */
  clipShare: number | null;
  /** responses with A != 0 and no gradient at all */
  silentResponses: number;
  /** effective number of responses that share the gradient, over n */
  effectiveResponses: number;
  /** [n] share of the gradient mass of each response; all 0 where nothing passes */
  share: Float64Array;
}

/** Against the first variant. */
export interface WhatIfChange {
  /** responses that had gradient and have none now, and the other way round; indices, ascending */
  silenced: number[];
  woken: number[];
  /** share of the gradient that goes to other responses: half the sum of |differences of shares| */
  moved: number;
  /** cosine of the two gradients over tokens; null where one is 0 */
  cosine: number | null;
}

export interface WhatIf {
  sequences: number;
  tokens: number;
  /** [n] tokens of each response */
  lengths: Uint32Array;
  /** false: a variant asks for a correction, and there are no sampler log-probs to correct with */
  corrected: boolean;
  /** false: a variant asks for the tokens of largest entropy, and there are no entropies */
  entropies: boolean;
  /** false: a variant asks for a penalty against a reference policy, and there are no log-probs of one */
  references: boolean;
  /** what a variant's rule for advantages needs and the source lacks; null: nothing */
  lacking: string | null;
  /** whether there are log-probs of a reference policy */
  hasReference: boolean;
  sides: WhatIfSide[];
  /** one per side; the first is compared with itself */
  changes: WhatIfChange[];
}

const PATTERN = /^([a-z_]+)(?:\.([a-z]+))?(?:@([^/+]+)\/([^/+]+))?(?:\+(.+))?$/;

function numberIn(text: string, whole: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new VariantError(`"${whole}": "${text}" is no number of 0 or more.`);
  }
  return value;
}

function among<T extends string>(ids: readonly T[], text: string, what: string, whole: string): T {
  const found = ids.find((id) => id === text);
  if (found === undefined) {
    throw new VariantError(
      `"${whole}": there is no ${what} "${text}"; it may be ${ids.join(', ')}.`,
    );
  }
  return found;
}

/** `ID[=LOW/HIGH]`, a bound `none` = the recommended one. @throws VariantError in one sentence */
export function parseCorrection(text: string): CorrectionSettings {
  const [id = '', bounds, ...more] = text.split('=');
  const [low, high, ...rest] = bounds?.split('/') ?? ['none', 'none'];
  if (more.length > 0 || rest.length > 0 || low === undefined || high === undefined) {
    throw new VariantError(`"${text}" is no correction; write ID[=LOW/HIGH].`);
  }
  const bound = (own: string) => (own === 'none' ? null : numberIn(own, text));
  return {
    id: among(CORRECTION_IDS, id, 'correction', text),
    low: bound(low),
    high: bound(high),
  };
}

/** @throws VariantError in one sentence */
export function parseVariant(text: string): Variant {
  const match = PATTERN.exec(text.trim());
  if (!match) {
    throw new VariantError(
      `"${text}" is no variant; write OBJECTIVE[.LIBRARY][@LOW/HIGH][+CORRECTION[=LOW/HIGH]], such as ` +
        'gspo@3e-4/4e-4 or grpo.verl+sequence-mask=none/3.',
    );
  }
  const [, name = '', library, low, high, correction] = match;
  const id = among(OBJECTIVE_IDS, name, 'objective', text);
  const { bypass, topEntropy, beta, advantages, corrected } = optionsOf(correction ?? '', text);
  const variant: Variant = {
    bypass,
    topEntropy,
    beta,
    advantages,
    objective: id,
    library: library === undefined ? null : among(LIBRARIES, library, 'library', text),
    band:
      low === undefined || high === undefined
        ? null
        : { low: numberIn(low, text), high: numberIn(high, text) },
    correction: corrected === '' ? NO_CORRECTION : parseCorrection(corrected),
  };
  const settings = settingsOf(variant, null);
  if (bypass && !bypasses(settings)) {
    throw new VariantError(
      `"${text}": bypass is verl's, of its clipped token ratio and of REINFORCE; write grpo.verl+bypass or such.`,
    );
  }
  const option = topEntropy !== null ? TOP_ENTROPY : beta !== null ? BETA : null;
  if (option !== null && !takesOptions(variant, settings)) {
    throw new VariantError(
      `"${text}": ${option} is TRL's, of the losses of its GRPOTrainer but LUSPO; write grpo.trl+${option}=0.2 or such.`,
    );
  }
  return variant;
}

const TOP_ENTROPY = 'top-entropy';
const BETA = 'beta';
const CORRECTED_BETA = 'corrected-beta';
const ADVANTAGES = 'advantages';

/** Tinker's and ROLL's GSPO have TRL's arithmetic and none of its options. */
function takesOptions({ library }: Variant, settings: ObjectiveSettings): boolean {
  return (library === null || library === 'trl') && takesTokenOptions(settings);
}

/** Whether verl's `bypass_mode` goes with a variant. */
export function takesBypass(variant: Variant): boolean {
  return bypasses(settingsOf(variant, null));
}

/** Whether TRL's `top_entropy_quantile` and `beta` go with a variant. */
export function takesTrlOptions(variant: Variant): boolean {
  return takesOptions(variant, settingsOf(variant, null));
}

/** The parts after an objective, split at "+": options and a correction, each at most once. */
function optionsOf(parts: string, text: string) {
  let bypass = false;
  let topEntropy: number | null = null;
  let beta: Variant['beta'] = null;
  let advantages: Variant['advantages'] = null;
  let corrected = '';
  for (const part of parts === '' ? [] : parts.split(/\+(?=[a-z])/)) {
    const [name, value] = part.split('=');
    if (part === 'bypass' && !bypass) bypass = true;
    else if (name === TOP_ENTROPY && topEntropy === null) {
      topEntropy = numberIn(value ?? '', text);
      if (topEntropy > 1) throw new VariantError(`"${text}": ${TOP_ENTROPY} is a share, 0 to 1.`);
    } else if ((name === BETA || name === CORRECTED_BETA) && beta === null) {
      beta = { value: numberIn(value ?? '', text), corrected: name === CORRECTED_BETA };
    } else if (name === ADVANTAGES && advantages === null) {
      advantages = among(VARIANT_ADVANTAGES, value ?? '', 'rule for advantages', text);
    } else if (corrected === '' && name !== BETA && name !== CORRECTED_BETA) corrected = part;
    else throw new VariantError(`"${text}": "${part}" is one option too many.`);
  }
  return { bypass, topEntropy, beta, advantages, corrected };
}

export function variantName(
  { objective: id, band, correction, bypass, topEntropy, beta, advantages }: Variant,
  library: VariantLibrary,
): string {
  const bandText = band === null ? '' : `@${band.low}/${band.high}`;
  const { low, high } = correction;
  const bounds = low === null && high === null ? '' : `=${low ?? 'none'}/${high ?? 'none'}`;
  const correctionText = correction.id === 'none' ? '' : `+${correction.id}${bounds}`;
  const rule = advantages === null ? '' : `+${ADVANTAGES}=${advantages}`;
  const penalty = beta === null ? '' : `+${beta.corrected ? CORRECTED_BETA : BETA}=${beta.value}`;
  const top = topEntropy === null ? '' : `+${TOP_ENTROPY}=${topEntropy}`;
  return `${id}.${library}${bandText}${bypass ? '+bypass' : ''}${rule}${top}${penalty}${correctionText}`;
}

/** @param length Dr.GRPO's constant; null = the longest response */
function settingsOf({ objective: id, library, band }: Variant, length: number | null) {
  const chosen = library ?? settingsIn(objective(id)).library;
  const found =
    chosen === 'trl' || chosen === 'verl'
      ? recommended(id, chosen, length === null ? {} : { length })
      : elsewhere(id, chosen);
  if (!found) throw new VariantError(`${chosen} has no objective "${id}".`);
  if (band === null) return found;
  if (kindOf(found.surrogate).withBand === null) {
    throw new VariantError(`"${id}" has no epsilon that a band could replace.`);
  }
  return withBand(found, band);
}

/** Epsilons of a variant's objective as published; null where it has none. */
export function publishedBand(variant: Variant): { low: number | null; high: number } | null {
  const { surrogate } = settingsOf({ ...variant, band: null }, null);
  return kindOf(surrogate).range?.(surrogate).band ?? null;
}

/** The sampler's log-probs in place of log pi_old, where they are known. */
function bypassed(rollouts: Rollouts): Rollouts {
  const { logpOld, logpSampler } = rollouts;
  if (!logpSampler) return rollouts;
  const own = logpSampler.map((x, t) => (Number.isNaN(x) ? logpOld[t] : x));
  return { ...rollouts, logpOld: own };
}

/**
 * Tinker's ratio over its own mask: with d_t of every token the mean of d over the mask, s over the response is s over
 * the mask, and the gradient of GSPO-token, which is each token's own, does not change.
 */
function overRatioMask(rollouts: Rollouts): Rollouts {
  const { offsets, logpOld, logpNew, tables } = rollouts;
  const mask = tables?.[RATIO_MASK]?.values;
  if (!mask) return rollouts;
  const own = Float64Array.from(logpOld);
  for (let i = 0; i < sequenceCount(rollouts); i++) {
    let sum = 0;
    let count = 0;
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      if (mask[t] === 0) continue;
      sum += logpNew[t] - logpOld[t];
      count++;
    }
    if (count === 0) continue;
    for (let t = offsets[i]; t < offsets[i + 1]; t++) own[t] = logpNew[t] - sum / count;
  }
  return { ...rollouts, logpOld: own };
}

interface Evaluated {
  side: WhatIfSide;
  gradient: Float64Array;
  /** [n] 1 = gets gradient */
  heard: Uint8Array;
  available: boolean;
  /** false: entropies, or a reference policy, were asked for, and there are none */
  entropies: boolean;
  references: boolean;
  lacking: string | null;
}

/** TRL's options of single tokens, as far as the rollouts know what they need. */
function tokenOptions(
  { entropyNew, entropyOld, logpRef }: Rollouts,
  { topEntropy, beta }: Variant,
  kept: Uint8Array | null,
): { options: TokenOptions; entropies: boolean; references: boolean } {
  const entropy = entropyNew ?? entropyOld;
  const options: TokenOptions = {
    ...(topEntropy !== null && entropy && { heard: heardOf(entropy, topEntropy, kept) }),
    ...(beta && logpRef && { penalty: { beta: beta.value, corrected: beta.corrected, logpRef } }),
  };
  return {
    options,
    entropies: topEntropy === null || entropy !== undefined,
    references: beta === null || logpRef !== undefined,
  };
}

/** A rejected token is none of the tokens that the quantile is of. */
function heardOf(entropy: FloatArray, share: number, kept: Uint8Array | null): Uint8Array {
  const mask = highEntropyMask(kept ? entropy.filter((_, t) => kept[t] === 1) : entropy, share);
  let next = 0;
  return kept ? kept.map((here) => (here === 1 ? mask[next++] : 0)) : mask;
}

/** The rollouts with the variant's advantages; as they are, with what is lacking, where its rule cannot be asked. */
function advantaged(
  rollouts: Rollouts,
  rule: VariantAdvantages | null,
  weights: Float64Array | null,
): { own: Rollouts; lacking: string | null } {
  const { reward, rewardParts, group, offsets, logpOld, collisionOld } = rollouts;
  if (rule === null) return { own: rollouts, lacking: null };
  const lengths = responseLengths(rollouts);
  const own = (advantage: Float64Array, tokenAdvantage?: Float64Array) => {
    const changed: Rollouts = { ...rollouts, advantage };
    delete changed.tokenAdvantage;
    if (tokenAdvantage) changed.tokenAdvantage = tokenAdvantage;
    return { own: changed, lacking: null };
  };
  const lacks = (lacking: string) => ({ own: rollouts, lacking });
  if (rule === 'gdpo') {
    if (!rewardParts) return lacks('the parts of the rewards ("rewards_per_func")');
    const k = rewardParts.length / group.length;
    const parts = Array.from({ length: k }, (_, part) =>
      rewardParts.filter((__, at) => at % k === part),
    );
    return own(gdpoAdvantages(parts, group, lengths));
  }
  if (reward.some(Number.isNaN)) return lacks('rewards of some responses');
  if (rule !== 'optimal_token_baseline') {
    return own(groupAdvantages(reward, group, rule, lengths));
  }
  if (!collisionOld) return lacks('the sum of p^2 of each token ("collision_old")');
  const columns = { offsets, logpOld, collisionOld };
  const perToken = optimalTokenAdvantages(reward, group, columns, weights ?? undefined);
  const mean = Float64Array.from(lengths, (length, i) => {
    const part = perToken.subarray(offsets[i], offsets[i + 1]);
    return part.reduce((sum, x) => sum + x, 0) / length;
  });
  return own(mean, perToken);
}

function evaluate(given: Rollouts, variant: Variant, length: number | null): Evaluated {
  const settings: ObjectiveSettings = settingsOf(variant, length);
  const { bypass } = variant;
  const { weights, kept, available } = applyCorrection(
    bypass ? { ...given, logpOld: given.logpNew } : given,
    variant.correction,
  );
  const { own: rollouts, lacking } = advantaged(given, variant.advantages, weights);
  // Clipping limits the ratio to the sampler already.
  const weighs = !bypass || settings.surrogate.kind === 'reinforce';
  const { options, entropies, references } = tokenOptions(rollouts, variant, kept);
  const { loss, gradient, gate, trl, verl } = evaluateObjective(
    bypass ? bypassed(rollouts) : variant.library === 'tinker' ? overRatioMask(rollouts) : rollouts,
    settings,
    weighs && weights ? weights : undefined,
    kept ?? undefined,
    options,
  );
  const n = sequenceCount(rollouts);
  const share = new Float64Array(n);
  const heard = new Uint8Array(n);
  let mass = 0;
  let silentTokens = 0;
  let clippedTokens = 0;
  let silentResponses = 0;
  for (let i = 0; i < n; i++) {
    const from = rollouts.offsets[i];
    const to = rollouts.offsets[i + 1];
    let own = 0;
    let judged = false;
    for (let t = from; t < to; t++) {
      own += Math.abs(gradient[t]);
      const advantage = rollouts.tokenAdvantage?.[t] ?? rollouts.advantage[i];
      if (advantage === 0) continue;
      judged = true;
      if (gradient[t] === 0) silentTokens++;
      if (gate[t] === 0 && (!kept || kept[t] === 1)) clippedTokens++;
    }
    share[i] = own;
    mass += own;
    heard[i] = own > 0 ? 1 : 0;
    if (judged && own === 0) silentResponses++;
  }
  if (mass > 0) for (let i = 0; i < n; i++) share[i] = share[i] / mass;
  const library = variant.library ?? settings.library;
  return {
    side: {
      name: variantName(variant, library),
      library,
      clips: kindOf(settings.surrogate).words(settings.surrogate).clips,
      loss,
      mass,
      silentTokens,
      clippedTokens,
      // Of Tinker and ROLL no log is imitated.
      clipShare:
        library !== settings.library
          ? null
          : trl
            ? (trl.regionMean ?? trl.highMean)
            : (verl?.clipFraction ?? null),
      silentResponses,
      effectiveResponses: mass > 0 ? effectiveSampleShare(share) : 0,
      share,
    },
    gradient,
    heard,
    available: (variant.correction.id === 'none' && !bypass) || available,
    entropies,
    references,
    lacking,
  };
}

function compare(first: Evaluated, other: Evaluated): WhatIfChange {
  const silenced: number[] = [];
  const woken: number[] = [];
  let moved = 0;
  first.heard.forEach((before, i) => {
    const after = other.heard[i];
    if (before === 1 && after === 0) silenced.push(i);
    if (before === 0 && after === 1) woken.push(i);
    moved += Math.abs(first.side.share[i] - other.side.share[i]) / 2;
  });
  let product = 0;
  let squares = 0;
  let others = 0;
  first.gradient.forEach((g, t) => {
    const h = other.gradient[t];
    product += g * h;
    squares += g * g;
    others += h * h;
  });
  const norm = Math.sqrt(squares) * Math.sqrt(others);
  return { silenced, woken, moved, cosine: norm > 0 ? product / norm : null };
}

/** @param length Dr.GRPO's constant, where the source has one */
export function whatIf(
  rollouts: Rollouts,
  variants: readonly Variant[],
  length: number | null = null,
): WhatIf {
  const evaluated = variants.map((variant) => evaluate(rollouts, variant, length));
  const [first] = evaluated;
  return {
    sequences: sequenceCount(rollouts),
    tokens: rollouts.logpNew.length,
    lengths: responseLengths(rollouts),
    corrected: evaluated.every(({ available }) => available),
    entropies: evaluated.every(({ entropies }) => entropies),
    lacking: evaluated.find(({ lacking }) => lacking !== null)?.lacking ?? null,
    hasReference: rollouts.logpRef !== undefined,
    references: evaluated.every(({ references }) => references),
    sides: evaluated.map(({ side }) => side),
    changes: first === undefined ? [] : evaluated.map((other) => compare(first, other)),
  };
}
