/**
 * What takes more than a run to know of a mixture of experts: how many routes turn as the policy moves, along the line
 * between two checkpoints and along training, and how its log-ratios differ from a dense policy's of the same spread.
 *
 * Contract: a runtime of its own, disposed at the end; the same settings give the same numbers on one backend; every
 * share has an interval over prompts; AbortError when cancelled.
 */
import { evaluateObjective } from '../math/objectives/evaluate';
import { recommended } from '../math/objectives/registry';
import { routingFlips, straightFlips, type RoutingTable } from '../math/routing';
import { addToCluster, newClusterSums, type ClusterSums } from '../math/stats/clusters';
import { PromptIntervals, transformed, type Estimate } from '../math/stats/intervals';
import { logKurtosis } from '../math/stats/statistics';
import { mean, variance } from '../math/summation';
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
import { promptClusters } from '../rollouts/clusters';
import type { Rollouts } from '../rollouts/rollouts';
import { groupAdvantages } from '../math/objectives/advantages';
import { SettingsError } from '../settings/setting';
import type { BackendChoice, PoliciesSource } from '../settings/run';
import { heldOutPrompts } from '../tasks/task';
import { openBackend } from './backend';
import type { BackendInfo } from './lab/protocol';

/** Share of the way; 1 is the new policy. */
export const ALPHAS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2] as const;
/** Between these the growth of the flips is judged. */
const GROWTH = { from: 1 / 8, to: 1 } as const;

const PROMPTS = 192;
const GROUP_SIZE = 2;

export interface FlipPoint {
  /** share of the way, or steps of training */
  at: number;
  /** of (token, layer), whose set of experts changed */
  share: Estimate;
  /** of the straight line between the policies' routers; of checkpoints: in proportion to how far the weights moved */
  predicted: number;
}

/** One policy's pair at the spread that both have. */
export interface DenseOrExperts {
  policy: string;
  old: string;
  new: string;
  /** share of the way from old to new */
  alpha: number;
  /** Var[d_t], nats^2 */
  variance: Estimate;
  /** of d_t about its mean; 3 for a normal */
  kurtosis: Estimate;
  /** of the sum of squares of d_t about its mean, what the largest hundredth of the tokens bring */
  largest: Estimate;
  /** Var[log s] over Var[d_t] mean(1/L): 1 where tokens are independent */
  level: Estimate;
  /** tokens behind a closed gate at published bands */
  clipped: { gspo: Estimate; grpo: Estimate };
}

export interface RouteStudy {
  policy: string;
  old: string;
  new: string;
  backend: BackendInfo;
  sequences: number;
  tokens: number;
  layers: number;
  alphas: FlipPoint[];
  /** slope of log share over log alpha between GROWTH's ends; 1: in proportion */
  growth: Estimate;
  /** from where training by reinforcement began; empty where nothing is known of it */
  training: { start: string; series: { name: string; points: FlipPoint[] }[] };
  /** null: no dense policy of the same task is there */
  sides: { experts: DenseOrExperts; dense: DenseOrExperts } | null;
}

export interface StudyProgress {
  doing: string;
  /** 0 to 1 */
  fraction: number;
}

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
export async function studyRoutes(options: RouteStudyOptions): Promise<RouteStudy> {
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

const ratios = ({ logpOld, logpNew }: Rollouts): Float64Array =>
  Float64Array.from(logpOld, (x, t) => (logpNew[t] as number) - x);

const spreadOf = (rollouts: Rollouts): number => variance(ratios(rollouts));

/** Root of the summed squares of all differences over that of the start. */
function distance(a: Weights, b: Weights): number {
  let sum = 0;
  for (const [name, { values }] of a) {
    const other = b.get(name)?.values;
    if (other === undefined) continue;
    for (let i = 0; i < values.length; i++) {
      sum += ((other[i] as number) - (values[i] as number)) ** 2;
    }
  }
  return Math.sqrt(sum);
}

/** Sums by prompt. @param terms of response i, tokens from..to */
function sumsOf(
  rollouts: Rollouts,
  columns: number,
  terms: (i: number, from: number, to: number) => readonly number[],
): ClusterSums {
  const { cluster, clusters } = promptClusters(rollouts);
  const sums = newClusterSums(clusters, columns);
  for (let i = 0; i + 1 < rollouts.offsets.length; i++) {
    const [from, to] = [rollouts.offsets[i], rollouts.offsets[i + 1]] as [number, number];
    addToCluster(sums, cluster[i] as number, terms(i, from, to));
  }
  return sums;
}

const intervals = new PromptIntervals();

const total = (values: ArrayLike<number>, from: number, to: number): number => {
  let sum = 0;
  for (let t = from; t < to; t++) sum += values[t] as number;
  return sum;
};

function shareOf(rollouts: Rollouts, flips: Uint8Array, layers: number): Estimate {
  return intervals.estimate(
    sumsOf(rollouts, 2, (_, from, to) => [layers * (to - from), total(flips, from, to)]),
    (totals) => (totals[1] as number) / (totals[0] as number),
  );
}

function growthOf(rollouts: Rollouts, few: Uint8Array, many: Uint8Array): Estimate {
  const span = Math.log(GROWTH.to / GROWTH.from);
  return intervals.estimate(
    sumsOf(rollouts, 2, (_, from, to) => [total(few, from, to), total(many, from, to)]),
    (totals) => {
      const [less, more] = [totals[0] as number, totals[1] as number];
      return less > 0 && more > 0 ? Math.log(more / less) / span : NaN;
    },
  );
}

function sideOf(
  rollouts: Rollouts,
  what: Pick<DenseOrExperts, 'policy' | 'old' | 'new' | 'alpha'>,
): DenseOrExperts {
  const d = ratios(rollouts);
  const center = mean(d);
  const size = Float64Array.from(d, (x) => Math.abs(x - center)).sort();
  const edge = size[Math.floor(0.99 * size.length)] ?? Infinity;
  const power = (from: number, to: number, k: number) => {
    let sum = 0;
    for (let t = from; t < to; t++) sum += ((d[t] as number) - center) ** k;
    return sum;
  };
  const powers = sumsOf(rollouts, 5, (_, from, to) => [
    to - from,
    ...[1, 2, 3, 4].map((k) => power(from, to, k)),
  ]);
  const closed = (id: 'gspo' | 'grpo') => {
    const settings = recommended(id, 'trl');
    if (settings === null) throw new TypeError(`TRL has ${id}.`);
    const { gate } = evaluateObjective(rollouts, settings);
    const shut = Uint8Array.from(gate, (open) => (open === 0 ? 1 : 0));
    return shareOf(rollouts, shut, 1);
  };
  const at = (totals: ArrayLike<number>, k: number) =>
    (totals[k] as number) / (totals[0] as number);
  const logVariance = (totals: ArrayLike<number>) => Math.log(at(totals, 2) - at(totals, 1) ** 2);
  // tokens, sum, squares of d; responses, sum of log s, its squares, sum of 1/L
  const levels = sumsOf(rollouts, 7, (_, from, to) => {
    const length = to - from;
    const own = length > 0 ? power(from, to, 1) / length : 0;
    const counted = length > 0 ? [1, own, own ** 2, 1 / length] : [0, 0, 0, 0];
    return [length, power(from, to, 1), power(from, to, 2), ...counted];
  });
  return {
    ...what,
    variance: transformed(intervals.estimate(powers, logVariance), Math.exp),
    kurtosis: transformed(intervals.estimate(powers, logKurtosis), Math.exp),
    largest: intervals.estimate(
      sumsOf(rollouts, 2, (_, from, to) => {
        let sum = 0;
        for (let t = from; t < to; t++) {
          const x = Math.abs((d[t] as number) - center);
          if (x >= edge) sum += x * x;
        }
        return [power(from, to, 2), sum];
      }),
      (totals) => (totals[1] as number) / (totals[0] as number),
    ),
    level: transformed(
      intervals.estimate(levels, (totals) => {
        const n = totals[3] as number;
        const one = (k: number) => (totals[k] as number) / n;
        const sequence = one(5) - one(4) ** 2;
        return Math.log(sequence / (Math.exp(logVariance(totals)) * one(6)));
      }),
      Math.exp,
    ),
    clipped: { gspo: closed('gspo'), grpo: closed('grpo') },
  };
}
