/**
 * What a link of each version leaves unsaid. A link holds only what differs from the defaults, so it
 * means something only beside the defaults of its day: those are frozen here, as text, per version.
 * Today's defaults (`settings.ts`, `pages.ts`) may change freely; links go on meaning what they meant.
 *
 * Contract: a published entry is never changed. A new setting is added to the newest table, with the
 * value that describes what was done before there was a choice. When a name or a meaning changes: raise
 * LINK_VERSION, add a table, and say in `migrations` how a link of the version before is rewritten.
 */
export type Texts = ReadonlyMap<string, string>;

export interface FrozenDefaults {
  run: Record<string, string>;
  /** by kind of source */
  sources: Record<string, Record<string, string>>;
  pages: Record<string, Record<string, string>>;
}

export interface LinkVersions {
  current: number;
  frozen: ReadonlyMap<number, FrozenDefaults>;
  /** from a version to the next: every setting of the link, defaults included, as text */
  migrations: ReadonlyMap<number, (texts: Texts, page: string) => Texts>;
}

export const LINK_VERSION = 1;

const V1: FrozenDefaults = {
  run: { backend: 'auto', source: 'policies' },
  sources: {
    policies: {
      policy: 'arithmetic-dense',
      old: 'gspo-00100',
      new: 'gspo-00101',
      alpha: '1',
      prompts: '64',
      groupSize: '8',
      minOperators: '1',
      maxOperators: '9',
      temperature: '1',
      maxLength: '180',
      seed: '1',
    },
    synthetic: {
      prompts: '500',
      groupSize: '8',
      lengthShape: 'log-normal',
      minLength: '4',
      maxLength: '256',
      mu: '0',
      sigma: '0.1',
      rho: '0',
      tau: '0',
      tailDegrees: '0',
      drift: '1',
      seed: '1',
    },
  },
  pages: {
    equivalence: { bins: '48' },
    variance: {
      bins: '10',
      axes: 'log',
      curve: 'both',
      unnormalisedAxes: 'log',
      tokenAxes: 'linear',
    },
    dependence: { axes: 'log', curve: 'natural' },
    weights: { bins: '10', curve: 'prefix' },
    length: { bins: '10', curve: 'prefix' },
    clipping: {
      objectives: 'gspo,grpo',
      show: 'clipped',
      z: '1.96',
      map: 'gspo',
      lowAxis: 'linear',
      highAxis: 'linear',
      correction: 'none',
      corrLow: 'none',
      corrHigh: 'none',
    },
    gradient: {
      objectives: 'gspo,grpo,dapo,rloo',
      library: 'trl',
      responses: 'gspo',
      against: 'length',
      correction: 'none',
      corrLow: 'none',
      corrHigh: 'none',
    },
    precision: { band: 'gspo' },
    objectives: {
      epsLow: 'none',
      epsHigh: 'none',
      correction: 'none',
      corrLow: 'none',
      corrHigh: 'none',
    },
    mismatch: { bins: '10', curve: 'prefix' },
    train: {
      on: 'auto',
      trained: 'arithmetic-dense',
      from: 'step-03000',
      racers: 'gspo~0.003~0.004~0.0001,grpo~0.2~0.2~0.0001',
      steps: '40',
      perStep: '8',
      group: '8',
      minibatches: '4',
      heat: '1',
      fewest: '1',
      most: '9',
      longest: '180',
      schedule: 'constant',
      warmup: '0',
      clipNorm: '1',
      decay: '0',
      kl: '0',
      evalEvery: '10',
      evalPrompts: '64',
      raceSeed: '1',
      raced: 'none',
    },
    data: { onBad: 'stop', rule: 'trl', recompute: '0' },
    reproduce: { quick: '1', pair: 'all', on: 'auto', ledgerSeed: '1' },
  },
};

export const LINK_VERSIONS: LinkVersions = {
  current: LINK_VERSION,
  frozen: new Map([[1, V1]]),
  migrations: new Map(),
};
