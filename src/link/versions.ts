/**
 * Versions of links. A link holds only what differs from the defaults, so it means something only beside
 * the defaults of its day. Those are kept with the settings: who changes a default raises LINK_VERSION and
 * writes the former one into the declaration (`was: { 2: x }`: up to version 2, x). A new setting's default
 * is what was done before there was a choice. `fixtures/` holds links of every version, to show that they
 * go on meaning what they meant.
 *
 * When a name changes, say in RENAMED how links of the version before are read.
 */
import type { PageId } from './pages';

export const LINK_VERSION = 3;

/** Names of a version that the next one calls otherwise, by page. */
const RENAMED: Partial<Record<number, Partial<Record<PageId, Readonly<Record<string, string>>>>>> =
  {
    1: {
      train: {
        on: 'race.backend',
        trained: 'race.policy',
        from: 'race.start',
        racers: 'race.racers',
        steps: 'race.steps',
        perStep: 'race.prompts',
        group: 'race.groupSize',
        minibatches: 'race.minibatches',
        heat: 'race.temperature',
        fewest: 'race.minOperators',
        most: 'race.maxOperators',
        longest: 'race.maxLength',
        schedule: 'race.schedule',
        warmup: 'race.warmupSteps',
        clipNorm: 'race.gradientClip',
        decay: 'race.weightDecay',
        kl: 'race.kl',
        evalEvery: 'race.evaluateEvery',
        evalPrompts: 'race.evaluatePrompts',
        raceSeed: 'race.seed',
        raced: 'race.found',
      },
    },
  };

/** A link's parameters in the names of today. */
export function renamed(
  parameters: ReadonlyMap<string, string>,
  version: number,
  page: PageId,
): ReadonlyMap<string, string> {
  let now = parameters;
  for (let from = version; from < LINK_VERSION; from++) {
    const names = new Map(Object.entries(RENAMED[from]?.[page] ?? {}));
    now = new Map([...now].map(([name, text]) => [names.get(name) ?? name, text]));
  }
  return now;
}
