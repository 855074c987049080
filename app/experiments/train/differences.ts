/**
 * How a kept race differs from the chosen one, in the words that the page uses for the settings. Contract:
 * pure; one text per difference, from the chosen race's value to the kept one's; no text, no difference.
 */
import { differencesOf } from '../../../src/settings/setting';
import {
  trainingSchema,
  type RacerSettings,
  type TrainingSettings,
} from '../../../src/settings/training';
import { objectiveView } from '../../page/objective-views';
import { looksOf } from './names';

export function differencesInWords(chosen: TrainingSettings, kept: TrainingSettings): string[] {
  return differencesOf(trainingSchema, chosen, kept).flatMap(({ setting, before, after }) =>
    setting.key === 'racers'
      ? racerDifferences(chosen.racers, kept.racers)
      : `${setting.alone ?? setting.label} ${before} → ${after}`,
  );
}

const same = (a: RacerSettings, b: RacerSettings) => changes(a, b).length === 0;

/** What changed in a racer that kept its objective; numbers as they were typed. */
function changes(a: RacerSettings, b: RacerSettings): string[] {
  if (a.objective !== b.objective) return ['another objective'];
  const band = ({ epsilonLow, epsilonHigh }: RacerSettings) => `${epsilonLow}/${epsilonHigh}`;
  const found: string[] = [];
  if (band(a) !== band(b)) found.push(`ε ${band(a)} → ${band(b)}`);
  if (a.learningRate !== b.learningRate) {
    found.push(`learning rate ${a.learningRate} → ${b.learningRate}`);
  }
  if (a.routing !== b.routing) found.push(`experts ${a.routing} → ${b.routing}`);
  return found;
}

/** Takes out of `from` the first that fits. */
function takeOut<T>(from: T[], fits: (one: T) => boolean): T | undefined {
  const at = from.findIndex(fits);
  return at === -1 ? undefined : from.splice(at, 1)[0];
}

/** Racers are matched by their objective; those without a match were exchanged, added or left out. */
function racerDifferences(
  before: readonly RacerSettings[],
  after: readonly RacerSettings[],
): string[] {
  const names = new Map(looksOf(before).map(({ name }, i) => [before[i], name]));
  const left = [...after];
  // Those that are the same first: of two of one objective, the changed one is the other.
  const unlike = before.filter((own) => takeOut(left, (other) => same(own, other)) === undefined);
  const texts: string[] = [];
  const alone = unlike.filter((own) => {
    const match = takeOut(left, ({ objective }) => objective === own.objective);
    if (match === undefined) return true;
    texts.push(`${names.get(own)}: ${changes(own, match).join(', ')}`);
    return false;
  });
  for (const own of alone) {
    const other = left.shift();
    const name = names.get(own) as string;
    texts.push(
      other === undefined ? `without ${name}` : `${name} → ${objectiveView(other.objective).name}`,
    );
  }
  for (const { objective } of left) texts.push(`with ${objectiveView(objective).name}`);
  return texts.length > 0 ? texts : ['racers in another order'];
}
