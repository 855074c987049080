/**
 * One policy in training: rollouts, advantages, K updates on the same rollouts, new weights into the
 * sampler. That is where ratios leave 1.
 *
 * Contract: step i is a function of (settings, racer, weights and moments after step i - 1); the same
 * seed on the same backend gives the same curve. `step` changes nothing unless it finishes, so a step
 * that was aborted or that failed can be taken again. `state` and `restore` are exact.
 */
import { tree } from '@jax-js/jax';
import { SettingsError } from '../settings/setting';
import { parseTraining, type RacerSettings, type TrainingSettings } from '../settings/training';
import { mean } from '../math/summation';
import type { Weights } from '../policy/graph/lift';
import type { PolicyHost } from '../policy/host';
import type { ScoringKernels } from '../policy/score';
import type { ResidentWeights } from '../policy/session';
import type { Rollouts } from '../rollouts/rollouts';
import { rolloutsOf } from '../rollouts/sample-groups';
import type { Verifier } from '../tasks/task';
import { adamW, zeroMoments, type AdamWState } from './adamw';
import { gradientOf } from './gradient';
import { accuracyOf, sampleHeldOut } from './heldout';
import { minibatchGradient } from './minibatch';
import { advantageRule, racerObjective, trainedObjective } from './objective';
import { downloadParams, uploadParams, type DifferentiablePolicy } from './policy';
import {
  entropyChangeOf,
  flipShare,
  informativeGroups,
  weightFigures,
  type HeldOut,
  type StepReport,
  type StepSeconds,
} from './report';
import { rollOutStep, routesUnder, scoreUnder, type RolloutContext } from './rollout';
import { learningRateAt, minibatchesOf } from './schedule';

export interface TrainingContext {
  host: PolicyHost;
  kernels: ScoringKernels;
  policy: DifferentiablePolicy;
  /** made when a racer first asks for it: the policy on given experts; null where it has none */
  replaying?: () => DifferentiablePolicy | null;
  /** judges responses; left out: the task's own verifier */
  verify?: Verifier;
}

export type TrainingPhase = 'sampling' | 'scoring' | 'gradient' | 'update' | 'evaluation';

export interface StepHooks {
  signal: AbortSignal;
  onPhase(phase: TrainingPhase): void;
}

export interface StepResult {
  report: StepReport;
  rollouts: Rollouts;
}

/** Everything that the next step depends on. */
export interface RacerState {
  step: number;
  updates: number;
  /** `params/`, `mu/`, `nu/` and a tensor's name */
  tensors: Weights;
}

/** Held-out accuracy of the start, once it has been measured. */
export interface AtStart {
  heldOut: HeldOut | null;
}

export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export class Racer {
  private optimizer: AdamWState;
  private resident: ResidentWeights;
  private finished = 0;
  private updates = 0;
  private readonly gradient: ReturnType<typeof gradientOf>;
  private readonly update: ReturnType<typeof adamW>;
  private readonly reference: ResidentWeights | null;

  /**
   * @param start the weights of every racer at step 0
   * @param atStart where their accuracy is asked for, for the racers that share them
   */
  constructor(
    private readonly context: TrainingContext,
    readonly settings: TrainingSettings,
    readonly racer: RacerSettings,
    start: Weights,
    private readonly atStart: AtStart | null = null,
  ) {
    parseTraining(settings);
    const params = uploadParams(start);
    this.optimizer = { params, mu: zeroMoments(params), nu: zeroMoments(params) };
    this.resident = context.host.session.upload(start);
    this.reference = settings.kl > 0 ? context.host.session.upload(start) : null;
    this.gradient = gradientOf(this.graph(), trainedObjective(racer), settings.kl);
    this.update = adamW({ ...ADAM, ...settings });
  }

  /** @throws SettingsError where experts are to be replayed and there are none */
  private graph(): DifferentiablePolicy {
    const { context, racer, settings } = this;
    if (racer.routing === 'own') return context.policy;
    const policy = context.replaying?.() ?? null;
    if (policy !== null) return policy;
    throw new SettingsError(
      `A racer is to replay the experts of the policy that sampled, but "${settings.policy}" has no experts. ` +
        'Choose a policy with experts, or let each racer choose its own.',
    );
  }

  get stepsDone(): number {
    return this.finished;
  }

  async step(hooks: StepHooks): Promise<StepResult> {
    const { settings, racer, context } = this;
    const clock = new PhaseClock(hooks);
    const rolloutContext: RolloutContext = {
      host: context.host,
      kernels: context.kernels,
      signal: hooks.signal,
      onPhase: clock.enter,
      ...(context.verify ? { verify: context.verify } : {}),
    };
    const index = this.finished;
    const heldOutBefore = index === 0 ? await this.accuracyAtStart(rolloutContext, clock) : null;
    const rollout = await rollOutStep(
      settings,
      index,
      this.resident,
      advantageRule(racer),
      rolloutContext,
    );
    const routes =
      racer.routing === 'replayed'
        ? await routesUnder(this.resident, rollout, rolloutContext)
        : null;
    const reference = this.reference
      ? (await scoreUnder(this.reference, rollout, rolloutContext)).logp
      : null;

    // Work on borrowed arrays; they become this racer's state only when the step is complete.
    let state: AdamWState = tree.ref(this.optimizer) as AdamWState;
    let updates = this.updates;
    const rate = learningRateAt(settings, racer, index);
    const losses: number[] = [];
    const norms: number[] = [];
    const clips: { trl: number | null; verl: number | null }[] = [];
    try {
      for (const members of minibatchesOf(settings, index, rollout.reward.length)) {
        hooks.signal.throwIfAborted();
        clock.enter('gradient');
        const { gradient, loss, clip } = await minibatchGradient(state.params, {
          rollout,
          members,
          reference,
          routes,
          pad: context.host.files.padToken,
          trained: trainedObjective(racer),
          trl: racerObjective(racer, 'trl'),
          verl: racerObjective(racer, 'verl'),
          gradient: this.gradient,
          signal: hooks.signal,
        });
        losses.push(loss);
        clips.push(clip);
        if (gradient === null) continue;
        clock.enter('update');
        const { norm, ...next } = this.update(state, gradient, rate, ++updates);
        state = next;
        norms.push(Number((await norm.data())[0]));
      }
      // Bringing the new weights into the sampler is paid once per step, not per update.
      clock.enter('scoring');
      const weights = await downloadParams(state.params);
      assertFinite(weights, index + 1);
      const resident = context.host.session.upload(weights);
      const { rollouts, heldOut } = await this.measure(rollout, resident, rolloutContext, clock);
      this.commit(state, resident, updates);
      const weightsOf = weightFigures(rollouts);
      const flips = flipShare(rollouts);
      const entropyChange = entropyChangeOf(rollouts);
      return {
        rollouts,
        report: {
          step: this.finished,
          updates,
          reward: mean(rollout.reward),
          informativeGroups: informativeGroups(rollout.reward, rollout.group),
          validSteps:
            rollout.verdicts.reduce((sum, { validSteps }) => sum + validSteps, 0) /
            rollout.verdicts.length,
          meanLength: mean(rollout.responses.map(({ tokens }) => tokens.length)),
          finishedShare: mean(rollouts.finished),
          entropy: mean(rollout.old.entropy),
          loss: mean(losses),
          gradientNorm: norms.length > 0 ? mean(norms) : 0,
          gradientNorms: norms,
          clip: { trl: meanOrNull(clips, 'trl'), verl: meanOrNull(clips, 'verl') },
          weights: weightsOf,
          ...(flips === null ? {} : { flips }),
          ...(entropyChange ? { entropyChange } : {}),
          learningRate: rate,
          heldOut,
          ...(heldOutBefore === null ? {} : { heldOutBefore }),
          seconds: clock.stop(),
        },
      };
    } catch (error) {
      tree.dispose(state);
      throw error;
    }
  }

  private async accuracyAtStart(
    context: RolloutContext,
    clock: PhaseClock,
  ): Promise<HeldOut | null> {
    const { atStart, settings } = this;
    if (atStart === null || settings.evaluatePrompts === 0) return null;
    if (atStart.heldOut === null) {
      clock.enter('evaluation');
      atStart.heldOut = await heldOutAccuracy(context, this.resident, settings);
    }
    return atStart.heldOut;
  }

  /** The present weights, copied. */
  weights(): Promise<Weights> {
    return downloadParams(this.optimizer.params);
  }

  async state(): Promise<RacerState> {
    const { params, mu, nu } = this.optimizer;
    const tensors: Weights = new Map([
      ...(await downloadParams(params, 'params/')),
      ...(await downloadParams(mu, 'mu/')),
      ...(await downloadParams(nu, 'nu/')),
    ]);
    return { step: this.finished, updates: this.updates, tensors };
  }

  async restore({ step, updates, tensors }: RacerState): Promise<void> {
    const state: AdamWState = {
      params: uploadParams(tensors, 'params/'),
      mu: uploadParams(tensors, 'mu/'),
      nu: uploadParams(tensors, 'nu/'),
    };
    const resident = this.context.host.session.upload(await downloadParams(state.params));
    this.commit(state, resident, updates);
    this.finished = step;
  }

  dispose(): void {
    tree.dispose(this.optimizer);
    this.resident.dispose();
    this.reference?.dispose();
  }

  private commit(state: AdamWState, resident: ResidentWeights, updates: number): void {
    tree.dispose(this.optimizer);
    this.resident.dispose();
    this.optimizer = state;
    this.resident = resident;
    this.updates = updates;
    this.finished++;
  }

  private async measure(
    rollout: Awaited<ReturnType<typeof rollOutStep>>,
    resident: ResidentWeights,
    context: RolloutContext,
    clock: PhaseClock,
  ) {
    const { settings } = this;
    try {
      const theta = await scoreUnder(resident, rollout, context);
      const scored = { old: rollout.old, theta };
      const rollouts = rolloutsOf(context.host, rollout, scored, rollout.advantage);
      const step = this.finished + 1;
      const due = step % settings.evaluateEvery === 0 || step === settings.steps;
      if (!due || settings.evaluatePrompts === 0) return { rollouts, heldOut: null };
      clock.enter('evaluation');
      return { rollouts, heldOut: await heldOutAccuracy(context, resident, settings) };
    } catch (error) {
      resident.dispose();
      throw error;
    }
  }
}

/** The held-out prompts' seed: the same for every race, so that accuracies compare. */
const HELD_OUT_SEED = 20_251;

export async function heldOutAccuracy(
  context: Pick<RolloutContext, 'host' | 'signal'>,
  weights: ResidentWeights,
  settings: TrainingSettings,
) {
  const { host, signal } = context;
  const count = settings.evaluatePrompts;
  const samples = await sampleHeldOut(host, weights, count, HELD_OUT_SEED, settings, { signal });
  const { correct, prompts, interval } = accuracyOf(samples);
  return { correct, prompts, interval };
}

function assertFinite(weights: Weights, step: number): void {
  for (const [name, { values }] of weights) {
    if (values.every(Number.isFinite)) continue;
    throw new Error(
      `Step ${step} made "${name}" not finite: the learning rate is too high for this objective. ` +
        'The weights before the step are kept.',
    );
  }
}

function meanOrNull<K extends string>(
  rows: readonly Record<K, number | null>[],
  key: K,
): number | null {
  const values = rows.map((row) => row[key]).filter((value) => value !== null);
  return values.length > 0 ? mean(values) : null;
}

/** Seconds by phase; phases follow one another. */
class PhaseClock {
  private readonly seconds: StepSeconds = {
    sampling: 0,
    scoring: 0,
    gradient: 0,
    update: 0,
    evaluation: 0,
  };
  private current: TrainingPhase | null = null;
  private since = 0;

  constructor(private readonly hooks: StepHooks) {}

  readonly enter = (phase: TrainingPhase): void => {
    this.stop();
    this.current = phase;
    this.since = performance.now();
    this.hooks.onPhase(phase);
  };

  stop(): StepSeconds {
    if (this.current !== null) {
      this.seconds[this.current] += (performance.now() - this.since) / 1000;
    }
    this.current = null;
    return this.seconds;
  }
}
