/**
 * Log-ratios that look like a policy's, with one thing planted: what calibration and the tests of verdicts are
 * run on.
 *
 * Like ours: nearly all of the variance of log length lies between prompts (99.7 % in the shipped pairs; here
 * 3 % of jitter around a length that the prompt fixes), and tokens are spiky: a mixture of two normals, one of
 * which is rare and wide, with kurtosis 250 (measured: 254).
 *
 * Contract: a pure function of the plan; prompt g has its own stream, so that the first n prompts of a long run are
 * those of a short one.
 */
import { Random, STREAM } from '../math/philox';
import { groupAdvantages } from '../math/objectives/advantages';
import type { Rollouts } from '../rollouts/rollouts';

export interface Plan {
  seed: number;
  prompts: number;
  groupSize: number;
  minLength: number;
  maxLength: number;
  /** standard deviation of a token, nats */
  sigma: number;
  /** kurtosis of a token; 3 = normal */
  kurtosis: number;
  /** AR(1) correlation of neighbours */
  rho: number;
  /** prompt's shift: its standard deviation over that of a token */
  tau: number;
  /** sd at the longest position over that at the first, log-linear in the log of the position */
  drift: number;
  /** a response's own shift, beside its prompt's: its standard deviation over that of a token */
  own: number;
  /** what an e-fold of length adds to the mean of d, over the sd of a token */
  meanByLength: number;
  /** exponent of sigma^2 in the response's length: slope of Var[log s] is -1 + this */
  spread: number;
  /** false: every length equally likely within a prompt as well */
  lengthsByPrompt: boolean;
}

export const CLEAN: Plan = {
  seed: 1,
  prompts: 64,
  groupSize: 8,
  minLength: 5,
  maxLength: 160,
  sigma: 0.05,
  kurtosis: 3,
  rho: 0,
  tau: 0,
  own: 0,
  drift: 1,
  meanByLength: 0,
  spread: 0,
  lengthsByPrompt: true,
};

export const SPIKY: Plan = { ...CLEAN, kurtosis: 250 };

/** Substreams of the surprisals: beyond any number of prompts. */
const SURPRISE = 1 << 24;

/** Share of wide tokens; their variance follows from the kurtosis. */
const RARE = 0.004;

/** Variances of the narrow and of the wide normal, mean 1 together. */
function mixture(kurtosis: number): { narrow: number; wide: number } {
  if (kurtosis <= 3) return { narrow: 1, wide: 1 };
  // 3 ((1 - p) a^2 + p b^2) = kurtosis with (1 - p) a + p b = 1
  const excess = Math.sqrt((kurtosis / 3 - 1) * ((1 - RARE) / RARE));
  const wide = 1 + excess;
  const narrow = (1 - RARE * wide) / (1 - RARE);
  return narrow > 0 ? { narrow, wide } : { narrow: 1e-9, wide: 1 / RARE };
}

export interface PlantedTokens {
  /** [tokens] d_t, nats */
  logRatio: Float64Array;
  /** [tokens] log pi_old: minus an exponential surprisal of mean log 2, of a stream of its own */
  logpOld: Float64Array;
  offsets: Uint32Array;
  cluster: Uint32Array;
  clusters: number;
}

export function plantedTokens(plan: Plan): PlantedTokens {
  const { prompts, groupSize, minLength, maxLength, rho } = plan;
  const { narrow, wide } = mixture(plan.kurtosis);
  const [sdNarrow, sdWide] = [Math.sqrt(narrow), Math.sqrt(wide)];
  const fresh = Math.sqrt(1 - rho * rho);
  const range = Math.log(maxLength / minLength);
  const middle = Math.log(minLength * maxLength) / 2;
  const n = prompts * groupSize;
  const lengths: number[] = [];
  const parts: Float64Array[] = [];
  const surprisals: Float64Array[] = [];
  for (let g = 0; g < prompts; g++) {
    const random = new Random(plan.seed, STREAM.synthetic, g);
    const usual = Math.exp(Math.log(minLength) + range * random.uniform());
    const shift = plan.tau * random.normal();
    const surprise = new Random(plan.seed, STREAM.synthetic, SURPRISE + g);
    for (let j = 0; j < groupSize; j++) {
      const wanted = plan.lengthsByPrompt
        ? usual * Math.exp(0.03 * random.normal())
        : Math.exp(Math.log(minLength) + range * random.uniform());
      const length = Math.max(minLength, Math.min(maxLength, Math.round(wanted)));
      const own = plan.own === 0 ? 0 : plan.own * random.normal();
      const mean = shift + own + plan.meanByLength * (Math.log(length) - middle);
      const scale = plan.sigma * Math.exp((plan.spread / 2) * (Math.log(length) - middle));
      const d = new Float64Array(length);
      let e = 0;
      for (let t = 0; t < length; t++) {
        const z = random.normal() * (random.uniform() < RARE ? sdWide : sdNarrow);
        e = t === 0 ? z : rho * e + fresh * z;
        const grown = plan.drift === 1 ? 1 : plan.drift ** (Math.log(t + 1) / Math.log(maxLength));
        d[t] = scale * (mean + grown * e);
      }
      lengths.push(length);
      parts.push(d);
      surprisals.push(d.map(() => Math.LN2 * Math.log(1 - surprise.uniform())));
    }
  }
  const offsets = new Uint32Array(n + 1);
  lengths.forEach((length, i) => (offsets[i + 1] = offsets[i] + length));
  const logRatio = new Float64Array(offsets[n]);
  const logpOld = new Float64Array(offsets[n]);
  parts.forEach((d, i) => logRatio.set(d, offsets[i]));
  surprisals.forEach((a, i) => logpOld.set(a, offsets[i]));
  const cluster = Uint32Array.from({ length: n }, (_, i) => Math.floor(i / groupSize));
  return { logRatio, logpOld, offsets, cluster, clusters: prompts };
}

/** The first `prompts` prompts: the run as it was when it had no more. */
export function firstPrompts(tokens: PlantedTokens, prompts: number): PlantedTokens {
  const n = tokens.cluster.findIndex((g) => g >= prompts);
  if (n < 0) return tokens;
  const offsets = tokens.offsets.subarray(0, n + 1);
  return {
    logRatio: tokens.logRatio.subarray(0, offsets[n]),
    logpOld: tokens.logpOld.subarray(0, offsets[n]),
    offsets,
    cluster: tokens.cluster.subarray(0, n),
    clusters: prompts,
  };
}

/** As every experiment takes it. */
export function plantedRollouts(tokens: PlantedTokens): Rollouts {
  const { logRatio, logpOld, offsets, cluster, clusters } = tokens;
  const n = cluster.length;
  const reward = Float64Array.from({ length: n }, (_, i) => (i * 7919) % 2);
  return {
    offsets: offsets.slice(),
    tokenIds: new Int32Array(logRatio.length).fill(-1),
    logpOld: logpOld.slice(),
    logpNew: logRatio.map((d, t) => logpOld[t] + d),
    group: cluster.slice(),
    reward,
    advantage: groupAdvantages(reward, cluster, 'trl'),
    finished: new Uint8Array(n).fill(1),
    prompts: Array.from({ length: clusters }, (_, g) => `planted ${g}`),
  };
}
