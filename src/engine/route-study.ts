/**
 * What takes more than a run to know of a mixture of experts: how many routes turn as the policy moves, along the line
 * between two checkpoints and along training, and how its log-ratios differ from a dense policy's of the same spread.
 *
 * Contract: a runtime of its own, disposed at the end; the same settings give the same numbers on one backend; every
 * share has an interval over prompts; AbortError when cancelled.
 */
import { routingFlips, straightFlips, type RoutingTable } from '../math/routing';
import { mean } from '../math/summation';
import { fetchCatalogue, findPolicy, type FileSource } from '../policy/fetch';
import type { Weights } from '../policy/graph/lift';
import { PolicyHost } from '../policy/host';
import type { CheckpointInfo, PolicyManifest } from '../policy/manifest';
import type { OrtAssets } from '../policy/runtime';
import { routesOf, type ScoringKernels } from '../policy/score';
import { interpolateWeights } from '../policy/weights';
import {
  rewardsOf,
  rolloutsOf,
  sampleGroups,
  scoreGroups,
  scoreOwn,
  taskOf,
  type SampledGroups,
} from '../rollouts/sample-groups';
import type { Rollouts } from '../rollouts/rollouts';
import { groupAdvantages } from '../math/objectives/advantages';
import { SettingsError } from '../settings/setting';
import type { BackendChoice, PoliciesSource } from '../settings/run';
import { heldOutPrompts } from '../tasks/task';
import { openBackend } from './backend';
import {
  ALPHAS,
  distance,
  GROWTH,
  growthOf,
  shareOf,
  sideOf,
  spreadOf,
  type DenseOrExperts,
  type FlipPoint,
  type RouteStudy,
  type StudyProgress,
} from './route-figures';
import type { BackendInfo } from './lab/protocol';

const PROMPTS = 192;
const GROUP_SIZE = 2;

export interface RouteStudyOptions {
  source: PoliciesSource;
  backend: BackendChoice;
  assets: OrtAssets;
  files: FileSource;
  tell(progress: StudyProgress): void;
  signal: AbortSignal;
  /** of GROUP_SIZE responses each */
  prompts?: number;
}

/** @throws SettingsError where the policy has no experts; what fetching throws; AbortError */
export async function studyRoutes(
  options: RouteStudyOptions,
): Promise<RouteStudy & { backend: BackendInfo }> {
  const { source, files, signal, tell } = options;
  const catalogue = await fetchCatalogue(files);
  const manifest = findPolicy(catalogue, source.policy);
  const race = manifest.races?.[0];
  const checkpoints = race
    ? manifest.checkpoints.filter(({ series }) => series === 'gspo' || series === 'grpo')
    : [];
  const dense = catalogue.find(
    ({ task, experts }) => task === manifest.task && experts === undefined,
  );
  const parts = 2 + ALPHAS.length + (race ? 1 + checkpoints.length : 0) + (dense ? 3 : 0);
  let done = 0;
  const next = (doing: string) => {
    signal.throwIfAborted();
    tell({ doing, fraction: done++ / parts });
  };

  next('opening the policy');
  const opened = await openHost(options, manifest);
  try {
    const { host, backend } = opened;
    const old = await host.checkpoint(source.old, undefined, signal);
    const theta = await host.checkpoint(source.new, undefined, signal);
    next('sampling');
    const ground = await sampleFrom(opened, old, options);
    const before = await tableUnder(host, old, ground, signal);
    const layers = before.width / 2;
    const after = await tableUnder(host, theta, ground, signal);

    const alphas: FlipPoint[] = [];
    const flipsAt = new Map<number, Uint8Array>();
    for (const at of ALPHAS) {
      next(`routes at ${at} of the way`);
      const table =
        at === 1
          ? after
          : await tableUnder(host, interpolateWeights(old, theta, at), ground, signal);
      const { flips } = routingFlips(before, table);
      flipsAt.set(at, flips);
      alphas.push({
        at,
        share: shareOf(ground.rollouts, flips, layers),
        predicted: mean(Array.from(straightFlips(before, after, at))) / layers,
      });
    }
    const growth = growthOf(
      ground.rollouts,
      flipsAt.get(GROWTH.from) as Uint8Array,
      flipsAt.get(GROWTH.to) as Uint8Array,
    );

    const training: RouteStudy['training'] = { start: race?.start ?? '', series: [] };
    if (race) {
      next('sampling from where training began');
      const start = await host.checkpoint(race.start, undefined, signal);
      const from = await sampleFrom(opened, start, options);
      const routes = await tableUnder(host, start, from, signal);
      const found = new Map<string, (FlipPoint & { moved: number })[]>();
      for (const { id, series, step } of checkpoints) {
        next(`routes of ${id}`);
        const weights = await host.checkpoint(id, undefined, signal);
        const { flips } = routingFlips(routes, await tableUnder(host, weights, from, signal));
        const share = shareOf(from.rollouts, flips, layers);
        const own = found.get(series) ?? [];
        own.push({ at: step, share, predicted: NaN, moved: distance(start, weights) });
        found.set(series, own);
      }
      for (const [name, points] of found) {
        points.sort((a, b) => a.at - b.at);
        const [first] = points as [(typeof points)[0]];
        training.series.push({
          name,
          points: points.map(({ moved, ...point }) => ({
            ...point,
            predicted: (first.share.estimate * moved) / first.moved,
          })),
        });
      }
    }

    let sides: RouteStudy['sides'] = null;
    if (dense) {
      const scored = await pairOf(opened, ground.groups, old, theta, signal);
      const experts = sideOf(scored, {
        policy: manifest.name,
        old: source.old,
        new: source.new,
        alpha: 1,
      });
      sides = {
        experts,
        dense: await denseSide(options, dense, spreadOf(scored), next),
      };
    }
    return {
      policy: manifest.name,
      old: source.old,
      new: source.new,
      backend: backend.info,
      sequences: ground.rollouts.offsets.length - 1,
      tokens: ground.rollouts.offsets.at(-1) as number,
      layers,
      alphas,
      growth,
      training,
      sides,
    };
  } finally {
    await opened.dispose();
  }
}

interface OpenedHost {
  host: PolicyHost;
  kernels: ScoringKernels;
  backend: { info: BackendInfo };
  dispose(): Promise<void>;
}

async function openHost(
  { backend: choice, assets, files, signal }: RouteStudyOptions,
  manifest: PolicyManifest,
): Promise<OpenedHost> {
  const backend = await openBackend(choice, assets);
  const host = await PolicyHost.open(await backend.runtime(), files, manifest, undefined, signal);
  return {
    host,
    kernels: backend.kernels,
    backend,
    dispose: async () => {
      await host.dispose();
      backend.dispose();
    },
  };
}

interface Sampled {
  groups: SampledGroups;
  /** offsets, groups and prompts; log-probs of the policy that sampled, twice */
  rollouts: Rollouts;
}

async function sampleFrom(
  { host, kernels }: OpenedHost,
  weights: Weights,
  {
    source: { seed, temperature, maxLength, minOperators, maxOperators },
    prompts = PROMPTS,
    signal,
  }: RouteStudyOptions,
): Promise<Sampled> {
  const resident = host.session.upload(weights);
  try {
    const range = { minOperators, maxOperators };
    const groups = await sampleGroups(host, resident, {
      texts: heldOutPrompts(taskOf(host), seed, range, prompts),
      groupSize: GROUP_SIZE,
      firstSequence: 0,
      temperature,
      maxLength,
      seed,
      signal,
    });
    const own = await scoreOwn(host, resident, kernels, groups, signal);
    const advantage = groupAdvantages(rewardsOf(groups), groups.group, 'trl');
    return { groups, rollouts: rolloutsOf(host, groups, { old: own, theta: own }, advantage) };
  } finally {
    resident.dispose();
  }
}

/** Routes of the places that predict the responses' tokens. */
async function tableUnder(
  host: PolicyHost,
  weights: Weights,
  { groups: { prompts, responses } }: Sampled,
  signal: AbortSignal,
): Promise<RoutingTable> {
  const resident = host.session.upload(weights);
  try {
    const sequences = responses.map(({ tokens }, i) => ({
      prompt: prompts[i] as number[],
      response: tokens,
    }));
    const routes = await routesOf(host.session, resident, sequences, host.files.padToken, signal);
    if (routes === null) {
      throw new SettingsError(
        `The policy "${host.manifest.name}" has no experts. Choose one that has, as arithmetic-moe.`,
      );
    }
    const [{ prompt, response }] = sequences as [(typeof sequences)[0]];
    const width = (routes[0] as Float32Array).length / (prompt.length + response.length);
    const total = sequences.reduce((sum, own) => sum + own.response.length, 0);
    const values = new Float32Array(total * width);
    let at = 0;
    sequences.forEach((own, i) => {
      const first = own.prompt.length - 1;
      const rows = (routes[i] as Float32Array).subarray(
        first * width,
        (first + own.response.length) * width,
      );
      values.set(rows, at);
      at += rows.length;
    });
    return { width, values };
  } finally {
    resident.dispose();
  }
}

async function pairOf(
  { host, kernels }: OpenedHost,
  groups: SampledGroups,
  old: Weights,
  theta: Weights,
  signal: AbortSignal,
): Promise<Rollouts> {
  const score = async (weights: Weights) => {
    const resident = host.session.upload(weights);
    try {
      return await scoreGroups(host, resident, kernels, groups, signal);
    } finally {
      resident.dispose();
    }
  };
  const [a, b] = [await score(old), await score(theta)];
  const advantage = groupAdvantages(rewardsOf(groups), groups.group, 'trl');
  return rolloutsOf(host, groups, { old: a, theta: b }, advantage);
}

/** Beyond so much of a pair's own step, a point on its line is no policy that training would have made. */
const FARTHEST = 2;
/** Corrections of the way until the variance is matched. */
const CORRECTIONS = 6;

/**
 * A dense policy as far along the line between two of its checkpoints as gives d_t the same variance: its default pair,
 * or, where that is too near, from where training by reinforcement began to where it ended.
 */
async function denseSide(
  options: RouteStudyOptions,
  manifest: PolicyManifest,
  target: number,
  next: (doing: string) => void,
): Promise<DenseOrExperts> {
  const { signal } = options;
  next(`opening ${manifest.name}`);
  const opened = await openHost(options, manifest);
  try {
    const { host } = opened;
    const race = manifest.races?.[0];
    const last = manifest.checkpoints
      .filter(({ series }) => series === race?.series)
      .reduce(
        (best, own) => (own.step > (best?.step ?? 0) ? own : best),
        null as null | CheckpointInfo,
      );
    const far = race && last ? [{ old: race.start, new: last.id }] : [];
    next('sampling from it');
    for (const { old: oldId, new: newId } of [manifest.defaultPair, ...far]) {
      const old = await host.checkpoint(oldId, undefined, signal);
      const theta = await host.checkpoint(newId, undefined, signal);
      const { groups } = await sampleFrom(opened, old, options);
      const at = (alpha: number) =>
        pairOf(opened, groups, old, interpolateWeights(old, theta, alpha), signal);
      let alpha = 1;
      let rollouts = await at(alpha);
      // The spread grows about like alpha.
      for (let i = 0; i < CORRECTIONS; i++) {
        const ratio = Math.sqrt(target / spreadOf(rollouts));
        if (!Number.isFinite(ratio) || Math.abs(ratio - 1) < 0.01) break;
        alpha *= ratio;
        if (alpha > FARTHEST) break;
        rollouts = await at(alpha);
      }
      if (alpha > FARTHEST && oldId !== far.at(-1)?.old) continue;
      next('matching its spread');
      return sideOf(rollouts, { policy: manifest.name, old: oldId, new: newId, alpha });
    }
    throw new Error(`No pair of ${manifest.name} is as far apart.`);
  } finally {
    await opened.dispose();
  }
}
