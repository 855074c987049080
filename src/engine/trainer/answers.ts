/** What the trainer hands out of a race: a checkpoint, a step's rollouts, sample responses. */
import type { Stamp } from '../../export/stamp';
import type { TrainingSettings } from '../../settings/training';
import type { Weights } from '../../policy/graph/lift';
import type { PolicyHost } from '../../policy/host';
import type { Rollouts } from '../../rollouts/rollouts';
import { sampleGroups, taskOf } from '../../rollouts/sample-groups';
import { heldOutPrompts } from '../../tasks/task';
import { writeCheckpoint } from '../../training/checkpoint';
import type { Race } from '../../training/race';
import { compact } from '../../store/pack';
import type { ImportTable } from '../lab/protocol';
import type { Judged, NamedBlob, SamplePair } from './protocol';

const named = (settings: TrainingSettings, racer: number) =>
  (settings.racers[racer]?.objective ?? 'racer').replaceAll('_', '-');

export async function checkpointFile(race: Race, racer: number): Promise<NamedBlob> {
  const { settings } = race;
  const step = race.stepsOf(racer);
  const bytes = writeCheckpoint(await race.weights(racer), { settings, racer, step });
  const name = `${named(settings, racer)}-${String(step).padStart(5, '0')}.safetensors`;
  return { name, blob: new Blob([bytes], { type: 'application/octet-stream' }) };
}

/** What the lab imports: pi_old before the step's updates, pi_theta after them. */
export function stepTable(
  rollouts: Rollouts,
  { settings }: Race,
  { racer, step, stamp }: { racer: number; step: number; stamp: Omit<Stamp, 'source'> },
): ImportTable {
  const name = `${named(settings, racer)} step ${step}`;
  return { name, rollouts: compact(rollouts), stamp: { ...stamp, source: `training: ${name}` } };
}

/** The same held-out prompts answered greedily by two sets of weights. */
export async function samplePairs(
  host: PolicyHost,
  settings: TrainingSettings,
  [before, after]: [Weights, Weights],
  count: number,
): Promise<SamplePair[]> {
  const { seed, maxLength } = settings;
  const texts = heldOutPrompts(taskOf(host), seed, settings, count);
  const answer = async (weights: Weights): Promise<Judged[]> => {
    const resident = host.session.upload(weights);
    try {
      const greedy = { groupSize: 1, firstSequence: 0, temperature: 0 };
      const sampled = await sampleGroups(host, resident, { texts, seed, maxLength, ...greedy });
      const { answers, verdicts } = sampled;
      return answers.map((text, i) => ({ text, right: verdicts[i]?.reward === 1 }));
    } finally {
      resident.dispose();
    }
  };
  const [olds, news] = [await answer(before), await answer(after)];
  return texts.map((prompt, i) => ({
    prompt,
    before: olds[i] as Judged,
    after: news[i] as Judged,
  }));
}
