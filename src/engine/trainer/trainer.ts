/**
 * The trainer behind its protocol. It lives in a worker of its own, so that a race goes on while the
 * lab's engine answers other pages.
 *
 * Contract: no DOM and no worker globals. One race at a time; starting another ends the one before. A
 * race that failed says whether it can go on; its finished steps are kept.
 */
import { parseTraining, type TrainingSettings } from '../../settings/training';
import type { FileSource } from '../../policy/fetch';
import type { Weights } from '../../policy/graph/lift';
import type { OrtAssets } from '../../policy/runtime';
import { assertSameShapes } from '../../policy/weights';
import type { Rollouts } from '../../rollouts/rollouts';
import { bytesOf } from '../../store/pack';
import type { RaceStore } from '../../store/race-store';
import type { ImportTable } from '../lab/protocol';
import { claimsWord } from '../../experiments/claims';
import { Answers } from '../rpc/channel';
import type { StepEstimate } from '../../training/predict';
import { measureStep } from '../../training/measure-step';
import { readCheckpoint } from '../../training/checkpoint';
import { StepHistory } from '../../training/history';
import { Race, type RaceSnapshot } from '../../training/race';
import type { StepReport } from '../../training/report';
import { RaceAutosave } from './autosave';
import { factsOf } from '../stamp';
import { checkpointFile, samplePairs, stepTable } from './answers';
import type {
  KeptRace,
  OwnStart,
  RaceId,
  TrainerCalls,
  TrainingEvent,
  TrainingRequest,
} from './protocol';
import { Environments, trainingStamp, type Environment } from './environment';
import { message } from '../../message';

export interface TrainingOptions {
  assets: OrtAssets;
  files: FileSource;
  emit(event: TrainingEvent): void;
  /** version of the app */
  app: string;
  /** where races are kept; without it they are not */
  store?: () => Promise<RaceStore<RaceSnapshot>>;
}

interface Current {
  id: RaceId;
  race: Race;
  environment: Environment;
  start: Weights;
  histories: StepHistory<Rollouts>[];
  autosave: RaceAutosave | null;
}

type Order = 'pause' | 'resume' | 'step' | 'stop';
type Asked<T extends TrainingRequest['type']> = Extract<TrainingRequest, { type: T }>;

/** How long a removed race can be put back, ms. */
const GRACE = 60_000;

export class TrainingEngine {
  private readonly environments: Environments;
  private readonly answers: Answers<TrainerCalls>;
  private current: Current | undefined;
  private latest: RaceId = -1;
  /** an order that came while the race was still being prepared */
  private early: Order | undefined;
  private measuring: { abort: AbortController; done: Promise<unknown> } | undefined;
  private store: Promise<RaceStore<RaceSnapshot>> | undefined;

  constructor(private readonly options: TrainingOptions) {
    this.environments = new Environments(options.assets, options.files);
    this.answers = new Answers(options.emit);
  }

  async handle(request: TrainingRequest): Promise<void> {
    const { answers } = this;
    switch (request.type) {
      case 'cancel':
        return answers.cancel(request.requestId);
      case 'start':
        return this.start(request);
      case 'pause':
      case 'resume':
      case 'step':
      case 'stop':
        if (this.current?.id === request.race) return this.order(request.type);
        if (this.latest === request.race) this.early = request.type;
        return;
      case 'checkpoint':
        return answers.give(request, () =>
          checkpointFile(this.require(request.race).race, request.racer),
        );
      case 'rollouts':
        return answers.give(request, () => this.rollouts(request));
      case 'samples':
        return answers.give(request, async () => {
          const { race, environment, start } = this.require(request.race);
          const weights: [Weights, Weights] = [start, await race.weights(request.racer)];
          const { host } = environment.context;
          return { pairs: await samplePairs(host, race.settings, weights, request.count) };
        });
      case 'measure-step':
        return answers.give(request, () => this.measureStep(request.settings));
      case 'recall':
        return answers.give(request, async () => ({
          snapshot: await (await this.openStore()).snapshot(request.kept),
        }));
      case 'races':
      case 'remove':
      case 'restore':
        return answers.give(request, () => this.keptRaces(request));
      default:
        return request satisfies never;
    }
  }

  /** Resolves when nothing runs any more and everything is written. */
  async dispose(): Promise<void> {
    await this.leave();
    await this.environments.dispose();
    (await this.store?.catch(() => undefined))?.close();
  }

  private async order(order: Order): Promise<void> {
    const race = this.current?.race;
    switch (order) {
      case 'pause':
        return race?.pause();
      case 'resume':
        return race?.start();
      case 'step':
        return race?.step();
      case 'stop':
        return race?.stop();
      default:
        return order satisfies never;
    }
  }

  private async start(request: Asked<'start'>): Promise<void> {
    const { race: id, from } = request;
    const { emit } = this.options;
    this.latest = id;
    this.early = undefined;
    try {
      const settings = parseTraining(request.settings);
      this.measuring?.abort.abort();
      await this.measuring?.done;
      await this.leave();
      const environment = await this.environments.open(settings);
      const { info } = environment.backend;
      emit({ type: 'backend', race: id, backend: info, claims: claimsWord() });
      const start = await startWeights(environment, settings, request.own);
      const { race, ...rest } = this.prepare(request, settings, environment, start);
      if (from) await race.restore(from.snapshot);
      if (this.latest !== id) return race.dispose();
      this.current = { id, race, environment, start, ...rest };
      void environment.backend.lost.then((why) => this.onLost(id, why));
      await this.order(this.early ?? (request.paused ? 'pause' : 'resume'));
      this.early = undefined;
    } catch (error) {
      emit({ type: 'failed', race: id, message: message(error), canResume: from !== null });
    }
  }

  private prepare(
    { race: id, from, keep }: Asked<'start'>,
    settings: TrainingSettings,
    { context, backend }: Environment,
    start: Weights,
  ): Pick<Current, 'race' | 'histories' | 'autosave'> {
    const { emit, app } = this.options;
    const histories = settings.racers.map(() => new StepHistory<Rollouts>(bytesOf));
    const reports: StepReport[][] = settings.racers.map((_, i) =>
      (from?.reports[i] ?? []).filter(({ step }) => step <= (from?.snapshot.racers[i]?.step ?? 0)),
    );
    const tell = (kept: string | null, trouble: string | null) =>
      emit({ type: 'kept', race: id, kept, trouble });
    const facts = { app, settings, backend: factsOf(backend.info) };
    const autosave =
      this.options.store && keep
        ? new RaceAutosave(() => this.openStore(), facts, tell, from?.kept ?? null)
        : null;
    const race = new Race(context, settings, start, {
      progress: (progress) => emit({ type: 'progress', race: id, progress }),
      step: (racer, report, rollouts) => {
        reports[racer]?.push(report);
        histories[racer]?.add(report.step, rollouts);
        // Held first: a step that is known and not held would look like one whose rollouts are gone.
        emit({ type: 'held', race: id, racer, steps: histories[racer]?.steps ?? [] });
        emit({ type: 'trained', race: id, racer, report });
      },
      snapshot: (snapshot) => {
        autosave?.write(snapshot, reports);
        emit({ type: 'snapshot', race: id, snapshot });
      },
      failed: (why) => {
        // A driver can refuse or lose what jax-js compiles for it; the other way out is named.
        const advice =
          backend.info.policy === 'webgpu'
            ? ' If it happens again, choose WebAssembly as backend in the settings.'
            : '';
        emit({ type: 'failed', race: id, message: why + advice, canResume: true });
      },
    });
    return { race, histories, autosave };
  }

  private onLost(id: RaceId, why: string): void {
    if (this.current?.id !== id) return;
    this.current.race.pause();
    const message = `The GPU failed: ${why} Every step up to the last snapshot is kept.`;
    this.options.emit({ type: 'failed', race: id, message, canResume: true });
  }

  private async leave(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.race.stop();
    await current?.autosave?.settled();
    current?.race.dispose();
  }

  private async measureStep(input: TrainingSettings): Promise<StepEstimate> {
    const settings = parseTraining(input);
    if (this.current && !this.current.race.idle) {
      throw new Error('A race is under way; its own steps tell how long one takes.');
    }
    const before = this.measuring;
    before?.abort.abort();
    const abort = new AbortController();
    const work = (async () => {
      await before?.done;
      const { context } = await this.environments.open(settings);
      const start = await context.host.checkpoint(settings.start);
      abort.signal.throwIfAborted();
      return measureStep(context, settings, start, abort.signal);
    })();
    this.measuring = { abort, done: work.catch(() => undefined) };
    return work;
  }

  private require(id: RaceId): Current {
    if (this.current?.id !== id) throw new Error('That race is over; another has taken its place.');
    return this.current;
  }

  private rollouts({ race: id, racer, step, link }: Asked<'rollouts'>): ImportTable {
    const { race, histories, environment } = this.require(id);
    const rollouts = histories[racer]?.get(step);
    if (!rollouts) throw new Error(`The rollouts of step ${step} are no longer held.`);
    const stamp = trainingStamp(this.options.app, race.settings, environment, link);
    return stepTable(rollouts, race, { racer, step, stamp });
  }

  private openStore(): Promise<RaceStore<RaceSnapshot>> {
    const { store } = this.options;
    if (!store) return Promise.reject(new Error('Races are not kept here.'));
    const opening = (this.store ??= store());
    // A failed opening is not remembered, so that trying again tries again.
    opening.catch(() => (this.store = undefined));
    return opening;
  }

  private async keptRaces(
    request: Asked<'races' | 'remove' | 'restore'>,
  ): Promise<{ races: KeptRace[] }> {
    const store = await this.openStore();
    switch (request.type) {
      case 'remove':
        await store.mark([request.kept], Date.now());
        break;
      case 'restore':
        await store.mark([request.kept], null);
        break;
      case 'races':
        await store.purge(Date.now() - GRACE);
        break;
      default:
        request satisfies never;
    }
    return { races: await store.list() };
  }
}

async function startWeights(
  { context: { host } }: Environment,
  settings: TrainingSettings,
  own: OwnStart | null,
): Promise<Weights> {
  if (own === null) return host.checkpoint(settings.start);
  const { weights } = readCheckpoint(own.bytes, own.name);
  assertSameShapes(host.session.fileWeights, weights);
  return weights;
}
