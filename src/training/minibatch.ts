/**
 * One update of the weights from one minibatch of a rollout.
 *
 * Contract: coefficients and clip shares are those of the whole minibatch, as TRL and verl compute them;
 * how it is cut for the device changes nothing. Responses without influence on the gradient (advantage 0,
 * no penalty) are not computed, and count all the same.
 */
import { coefficients } from '../math/objectives/aggregate';
import { evaluateObjective } from '../math/objectives/evaluate';
import type { FloatArray } from '../math/kernels';
import type { ObjectiveSettings } from '../math/objectives/registry';
import type { ObjectiveBatch } from '../math/objectives/types';
import type { Params } from './adamw';
import { addGradients, type gradientOf } from './gradient';
import { lossAggregation } from './losses';
import { microbatches, type TrainingSequence } from './microbatches';
import { countsEveryone } from './objective';
import type { TrainingRollout } from './rollout';
import type { ClipShares } from './report';

export interface MinibatchInputs {
  rollout: TrainingRollout;
  /** indices of its responses */
  members: readonly number[];
  /** [tokens of the rollout] log-probs under the start, where a penalty needs them */
  reference: FloatArray | null;
  /** [responses of the rollout] experts of each token under the policy that sampled, where they are replayed */
  routes: readonly Float32Array[] | null;
  pad: number;
  /** what is differentiated, and the conventions that clip shares are counted in */
  trained: ObjectiveSettings;
  trl: ObjectiveSettings | null;
  verl: ObjectiveSettings | null;
  gradient: ReturnType<typeof gradientOf>;
  signal: AbortSignal;
}

export interface MinibatchGradient {
  /** null: no response of the minibatch had any influence */
  gradient: Params | null;
  loss: number;
  clip: ClipShares;
}

export async function minibatchGradient(
  params: Params,
  inputs: MinibatchInputs,
): Promise<MinibatchGradient> {
  const { rollout, members, trained } = inputs;
  const batch = columnsOf(inputs);
  const coefficient = coefficients(lossAggregation(trained), trained.library, batch.offsets);
  const everyone = inputs.reference !== null || countsEveryone(trained);
  const places: number[] = [];
  const sequences: TrainingSequence[] = [];
  members.forEach((member, place) => {
    const response = rollout.responses[member]?.tokens;
    const advantage = rollout.advantage[member];
    if (response.length === 0 || (advantage === 0 && !everyone)) return;
    const [from, to] = [rollout.offsets[member], rollout.offsets[member + 1]] as [number, number];
    places.push(place);
    sequences.push({
      prompt: rollout.prompts[member],
      response,
      logpOld: rollout.old.logp.subarray(from, to),
      advantage,
      coefficient: coefficient[place],
      ...(inputs.routes ? { routes: inputs.routes[member] } : {}),
      ...(inputs.reference ? { logpReference: inputs.reference.subarray(from, to) } : {}),
    });
  });

  let gradient: Params | null = null;
  let loss = 0;
  for (const micro of microbatches(sequences, inputs.pad)) {
    inputs.signal.throwIfAborted();
    const result = await inputs.gradient(params, micro);
    loss += result.loss;
    gradient = gradient === null ? result.gradient : addGradients(gradient, result.gradient);
    micro.members.forEach((member, row) => {
      const place = places[member];
      const [from, to] = [batch.offsets[place], batch.offsets[place + 1]] as [number, number];
      const start = micro.starts[row];
      batch.logpNew.set(result.logp.subarray(start, start + to - from), from);
    });
  }
  return { gradient, loss, clip: clipShares(batch, inputs) };
}

/** The minibatch as an objective's columns; pi_theta is pi_old until its log-probs are known. */
function columnsOf({ rollout, members }: MinibatchInputs): ObjectiveBatch {
  const offsets = new Uint32Array(members.length + 1);
  members.forEach((member, i) => {
    const length = rollout.responses[member]?.tokens.length;
    offsets[i + 1] = offsets[i] + length;
  });
  const logpOld = new Float64Array(offsets[members.length]);
  members.forEach((member, i) => {
    const [from, to] = [rollout.offsets[member], rollout.offsets[member + 1]];
    logpOld.set(rollout.old.logp.subarray(from, to), offsets[i]);
  });
  const advantage = Float64Array.from(members, (member) => rollout.advantage[member]);
  return { offsets, logpOld, logpNew: logpOld.slice(), advantage };
}

function clipShares(batch: ObjectiveBatch, { trl, verl }: MinibatchInputs): ClipShares {
  const ofTrl = trl && evaluateObjective(batch, trl).trl;
  const ofVerl = verl && evaluateObjective(batch, verl).verl;
  return {
    trl: ofTrl ? (ofTrl.regionMean ?? ofTrl.highMean) : null,
    verl: ofVerl ? ofVerl.clipFraction : null,
  };
}
