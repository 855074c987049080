/**
 * The one list of surrogates. Names, settings per library, menus, colours, what can be trained and what pages
 * show follow from it. Contract: a new kind is one file in `surrogates/` and one entry in KINDS (its order is
 * that of menus and tables); an objective of a kind that exists is one entry in that kind's file.
 *
 * Sources of settings: TRL's paper index and configuration defaults; verl's `ActorConfig` defaults and
 * recipes. TRL's default aggregation is the token mean for everything; the entries follow the papers' setup
 * that TRL recommends.
 */
import { cispo } from './surrogates/cispo';
import { clip } from './surrogates/clip';
import { clipCov, klCov } from './surrogates/covariance';
import { dppo } from './surrogates/dppo';
import { dro } from './surrogates/dro';
import { gmpo } from './surrogates/gmpo';
import { reinforce } from './surrogates/reinforce';
import { sapo } from './surrogates/sapo';
import { vespo } from './surrogates/vespo';
import type { Band, Library, ObjectiveEntry, SettingsOf, SurrogateKind } from './types';

const KINDS = [clip, cispo, gmpo, sapo, vespo, reinforce, dppo, dro, clipCov, klCov] as const;

type Kind = (typeof KINDS)[number];
export type Surrogate = Parameters<Kind['apply']>[0];
export type ObjectiveSettings = SettingsOf<Surrogate>;
export type ObjectiveId = Kind['objectives'][number]['id'];
/** Those with a clip range or a cap that epsilon sets. */
export type ClippedId = Exclude<
  Extract<Kind, { withBand: object }>['objectives'][number]['id'],
  BatchId
>;
/** Those that look at the whole batch before they look at a response. */
export type BatchId = Extract<Kind, { select: object }>['objectives'][number]['id'];
/** Those whose terms of a response depend on that response alone: they are trained and tallied. */
export type ResponseId = Exclude<ObjectiveId, BatchId>;

export interface Objective extends ObjectiveEntry<Surrogate> {
  id: ObjectiveId;
}

// A kind takes settings of its own kind only, which is what `kindOf` looks it up by.
const BY_KIND: ReadonlyMap<string, SurrogateKind<Surrogate>> = new Map(
  KINDS.map((kind) => [kind.kind, kind as unknown as SurrogateKind<Surrogate>]),
);

/** All that is known of a surrogate's kind. */
export function kindOf({ kind }: { kind: Surrogate['kind'] }): SurrogateKind<Surrogate> {
  const found = BY_KIND.get(kind);
  if (!found) throw new RangeError(`The registry has no surrogate "${kind}".`);
  return found;
}

export const OBJECTIVES: readonly Objective[] = KINDS.flatMap(
  ({ objectives }) => objectives as readonly Objective[],
);

/** Never empty, as menus and schemas want it. */
function idsOf<Id extends ObjectiveId>(entries: readonly Objective[]): readonly [Id, ...Id[]] {
  return entries.map(({ id }) => id) as unknown as [Id, ...Id[]];
}

export const OBJECTIVE_IDS = idsOf<ObjectiveId>(OBJECTIVES);
export const CLIPPED_IDS = idsOf<ClippedId>(
  OBJECTIVES.filter((entry) => kindOf(settingsIn(entry).surrogate).range !== null),
);

const looksAtBatch = (entry: Objective) => kindOf(settingsIn(entry).surrogate).select !== undefined;
export const BATCH_IDS = idsOf<BatchId>(OBJECTIVES.filter(looksAtBatch));
export const RESPONSE_IDS = idsOf<ResponseId>(OBJECTIVES.filter((entry) => !looksAtBatch(entry)));

const BY_ID: ReadonlyMap<string, Objective> = new Map(OBJECTIVES.map((entry) => [entry.id, entry]));

export function objective(id: ObjectiveId): Objective {
  const found = BY_ID.get(id);
  if (!found) throw new RangeError(`The registry has no objective "${id}".`);
  return found;
}

/** TRL's settings of an objective, or verl's where TRL has no such objective; or the other way round. */
export function settingsIn(
  { id, trl, verl }: Objective,
  first: Library = 'trl',
): ObjectiveSettings {
  const found = first === 'trl' ? (trl ?? verl) : (verl ?? trl);
  if (!found) throw new RangeError(`Objective "${id}" has settings in neither library.`);
  return found;
}

export interface Overrides {
  /** replaces the band of ratio-clipping objectives (not CISPO, GMPO, SAPO: their knobs mean other things) */
  low?: number;
  high?: number;
  /** constant length of Dr.GRPO */
  length?: number;
}

/** The library's settings for an objective with a person's own band or length; null where it has none. */
export function recommended(
  id: ObjectiveId,
  library: Library,
  { low, high, length }: Overrides = {},
): ObjectiveSettings | null {
  const settings = objective(id)[library];
  if (!settings) return null;
  const { surrogate, aggregation } = settings;
  const { bandOfRatio, range, withBand } = kindOf(surrogate);
  const published = bandOfRatio ? range?.(surrogate).band : undefined;
  return {
    library,
    surrogate:
      published && withBand
        ? withBand(surrogate, {
            low: low ?? (published.low as number),
            high: high ?? published.high,
          })
        : surrogate,
    aggregation:
      aggregation.kind === 'seq-mean-token-sum-norm'
        ? { ...aggregation, length: length ?? aggregation.length }
        : aggregation,
  };
}

/** With this epsilon, whatever it means to the objective; one without epsilons stays as it is. */
export function withBand(settings: ObjectiveSettings, band: Band): ObjectiveSettings {
  const change = kindOf(settings.surrogate).withBand;
  return change ? { ...settings, surrogate: change(settings.surrogate, band) } : settings;
}

export { epsilonText, GRPO_BAND, GSPO_BAND, LUSPO_BAND, type RatioLevel } from './surrogates/clip';
