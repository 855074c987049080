/** Racers by name, colour, mark and dash: the objective's colour, and where two share one, what tells them apart. */
import {
  DEFAULT_RACER,
  type RacerSettings,
  type TrainingObjective,
} from '../../../src/settings/training';
import {
  kindOf,
  objective,
  OBJECTIVES,
  settingsIn,
  type ObjectiveId,
} from '../../../src/math/objectives/registry';
import type { MarkShape } from '../../charts/shapes';
import { significant } from '../../format/numbers';
import { objectiveView } from '../../page/objective-views';

/** Objectives without an epsilon: a racer's change nothing. */
export function withoutBand(id: TrainingObjective): boolean {
  return kindOf(settingsIn(objective(id)).surrogate).withBand === null;
}

/** Squared distance of two "#rrggbb". */
function distance(a: string, b: string): number {
  const part = (hex: string, k: number) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
  return [0, 1, 2].reduce((sum, k) => sum + (part(a, k) - part(b, k)) ** 2, 0);
}

/** Of the objectives that do not race, the one whose colour is farthest from those that are taken. */
function spareColour(taken: readonly ObjectiveId[], racing: ReadonlySet<ObjectiveId>): ObjectiveId {
  const free = OBJECTIVES.filter(({ id }) => !racing.has(id) && !taken.includes(id));
  const apart = (colour: string) =>
    Math.min(...taken.map((id) => distance(colour, objective(id).colour.light)));
  return free.reduce((best, one) =>
    apart(one.colour.light) > apart(best.colour.light) ? one : best,
  ).id;
}

export interface RacerLook {
  name: string;
  /** CSS custom property */
  colour: string;
  /** of the marks along its lines, by its place in the race: colour is never the only sign */
  shape: MarkShape;
  /** SVG dash array of its lines, as well; null = none */
  dash: string | null;
}

/** As many as racers may be. */
const SIGNS: readonly MarkShape[] = ['circle', 'square', 'triangle', 'diamond'];
const DASHES: readonly (string | null)[] = [null, '8 3', '2 3', '9 3 2 3'];

function detail(racer: RacerSettings, others: readonly RacerSettings[]): string {
  const differs = (key: keyof RacerSettings) => others.some((other) => other[key] !== racer[key]);
  const parts: string[] = [];
  if (differs('epsilonLow') || differs('epsilonHigh')) {
    parts.push(`ε ${significant(racer.epsilonLow, 1)}/${significant(racer.epsilonHigh, 1)}`);
  }
  if (differs('learningRate')) parts.push(`rate ${significant(racer.learningRate, 1)}`);
  if (racer.routing === 'replayed') parts.push('replay');
  return parts.join(', ');
}

export function looksOf(racers: readonly RacerSettings[]): RacerLook[] {
  const racing = new Set(racers.map(({ objective: id }) => id));
  const taken: ObjectiveId[] = [];
  return racers.map((racer, i) => {
    const twins = racers.filter((other, k) => k !== i && other.objective === racer.objective);
    const more = twins.length > 0 ? detail(racer, twins) : '';
    const own = racer.objective;
    const colour = taken.includes(own) ? spareColour(taken, racing) : own;
    taken.push(colour);
    const { name } = objectiveView(own);
    return {
      name: more === '' ? name : `${name} ${more}`,
      colour: objectiveView(colour).colour,
      shape: SIGNS[i % SIGNS.length] as MarkShape,
      dash: DASHES[i % DASHES.length] ?? null,
    };
  });
}

/** A racer that the race does not have yet. */
export function nextRacer(racers: readonly RacerSettings[]): RacerSettings {
  const order: TrainingObjective[] = ['gspo', 'grpo', 'dapo', 'cispo', 'dr_grpo', 'gmpo', 'sapo'];
  const fresh = order.find((id) => !racers.some((one) => one.objective === id));
  return DEFAULT_RACER[fresh ?? 'gspo'];
}
