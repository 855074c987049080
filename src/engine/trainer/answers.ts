/** What the trainer hands out of a race: a checkpoint, a step's rollouts as a file, sample responses. */
import { runJson } from '../../export/run-json';
import type { Stamp } from '../../export/stamp';
import type { TrainingSettings } from '../../settings/training';
import type { Weights } from '../../policy/graph/lift';
import type { PolicyHost } from '../../policy/host';
import { sequenceCount, type Rollouts } from '../../rollouts/rollouts';
import { sampleGroups, taskOf } from '../../rollouts/sample-groups';
import { heldOutPrompts } from '../../tasks/task';
import { writeCheckpoint } from '../../training/checkpoint';
import type { Race } from '../../training/race';
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

/** The file that the lab's Data page reads: pi_old before the step's updates, pi_theta after them. */
export function rolloutsFile(
  rollouts: Rollouts,
  { settings }: Race,
  { racer, step, stamp }: { racer: number; step: number; stamp: Omit<Stamp, 'source'> },
): NamedBlob {
  const source = `training: ${named(settings, racer)} step ${step}`;
  const head = {
    name: source,
    stamp: { ...stamp, source },
    totalSequences: sequenceCount(rollouts),
  };
  const name = `${named(settings, racer)} step ${step}.json`;
  return { name, blob: new Blob([...runJson(rollouts, head)], { type: 'application/json' }) };
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
