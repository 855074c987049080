/** Racers by name and colour: the objective's, and where two share one, what tells them apart. */
import {
  DEFAULT_RACER,
  type RacerSettings,
  type TrainingObjective,
} from '../../../src/link/training';
import { significant } from '../../format/numbers';

export const OBJECTIVE_NAMES: Record<TrainingObjective, string> = {
  gspo: 'GSPO',
  grpo: 'GRPO',
  gspo_token: 'GSPO-token',
  dr_grpo: 'Dr.GRPO',
  dapo: 'DAPO',
  cispo: 'CISPO',
  gmpo: 'GMPO',
  sapo: 'SAPO',
  luspo: 'LUSPO',
  reinforce: 'REINFORCE',
};

/** Objectives whose loss has no band: their epsilons change nothing. */
export const WITHOUT_BAND: ReadonlySet<TrainingObjective> = new Set(['sapo', 'reinforce']);

const COLOURS = ['gspo', 'grpo', 'dapo', 'luspo', 'gmpo', 'cispo', 'sapo', 'rloo'];

export interface RacerLook {
  name: string;
  /** CSS custom property */
  colour: string;
}

function detail(racer: RacerSettings, others: readonly RacerSettings[]): string {
  const differs = (key: keyof RacerSettings) => others.some((other) => other[key] !== racer[key]);
  const parts: string[] = [];
  if (differs('epsilonLow') || differs('epsilonHigh')) {
    parts.push(`ε ${significant(racer.epsilonLow, 1)}/${significant(racer.epsilonHigh, 1)}`);
  }
  if (differs('learningRate')) parts.push(`rate ${significant(racer.learningRate, 1)}`);
  return parts.join(', ');
}

export function looksOf(racers: readonly RacerSettings[]): RacerLook[] {
  const taken = new Set<string>();
  return racers.map((racer, i) => {
    const twins = racers.filter((other, k) => k !== i && other.objective === racer.objective);
    const more = twins.length > 0 ? detail(racer, twins) : '';
    const own = racer.objective as string;
    const colour =
      COLOURS.includes(own) && !taken.has(own)
        ? own
        : (COLOURS.find((one) => !taken.has(one) && !racers.some((r) => r.objective === one)) ??
          COLOURS.find((one) => !taken.has(one)) ??
          'rloo');
    taken.add(colour);
    const name = OBJECTIVE_NAMES[racer.objective];
    return { name: more === '' ? name : `${name} ${more}`, colour: `--series-${colour}` };
  });
}

/** A racer that the race does not have yet. */
export function nextRacer(racers: readonly RacerSettings[]): RacerSettings {
  const order: TrainingObjective[] = ['gspo', 'grpo', 'dapo', 'cispo', 'dr_grpo', 'gmpo', 'sapo'];
  const fresh = order.find((objective) => !racers.some((one) => one.objective === objective));
  return DEFAULT_RACER[fresh ?? 'gspo'];
}
