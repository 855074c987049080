/**
 * Healthy rollouts with known truth, and faults planted in them, for the rules' false alarms and power. Contract:
 * deterministic by seed. Real softmaxes: each token has logits over a small vocabulary; the sampler's are those of
 * the old policy plus the noise of another engine, the new policy's plus the step of an update; tokens are drawn
 * from the sampler's. Sharp and flat policies, lengths, group sizes, digits and columns differ from set to set.
 */
import { groupAdvantages } from '../../math/objectives/advantages';
import { Random, STREAM } from '../../math/philox';
import type { Rollouts } from '../rollouts';
import type { HealthBatch } from './evidence/tally';

export interface Recipe {
  prompts: number;
  groupSize: number;
  /** shortest and longest response */
  lengths: [number, number];
  vocabulary: number;
  /** standard deviation of logits: 2 is flat, 8 is a trained policy */
  sharpness: number;
  /** of the update's change of each logit, the prompt's own part included; 0 = on policy, exactly */
  update: number;
  /** noise of the sampling engine on each logit; null = no sampler column */
  engine: number | null;
  digits: 'float32' | 'float64' | 8 | 7 | 6;
  entropy: boolean;
  steps: number;
  /** of the sampler: 1 and 1 unless a fault is planted */
  temperature?: number;
  topP?: number;
}

/** Each seed another kind of healthy data. */
export function healthyRecipe(seed: number): Recipe {
  const random = new Random(seed, STREAM.synthetic, 1);
  const one = <T>(...choices: readonly T[]): T => choices[random.integer(choices.length)];
  const longest = one(24, 60, 120, 240);
  const groupSize = one(4, 8, 16);
  const steps = one(1, 1, 1, 8);
  const tokens = 5000;
  const prompts = Math.max(2 * steps, Math.ceil(tokens / (groupSize * longest * 0.6)), 6);
  return {
    prompts: Math.ceil(prompts / steps) * steps,
    groupSize,
    lengths: one([longest, longest], [Math.ceil(longest / 6), longest]),
    vocabulary: one(30, 60, 120),
    sharpness: one(1.5, 3, 5, 9),
    update: one(0, 0.005, 0.01, 0.02, 0.02),
    engine: one<number | null>(null, 1e-4, 0.003, 0.01),
    digits: one<Recipe['digits']>('float32', 'float64', 8, 7, 6),
    entropy: one(true, false),
    steps,
  };
}

interface Softmax {
  log: Float64Array;
  entropy: number;
}

function softmax(logits: Float64Array): Softmax {
  let most = -Infinity;
  for (const x of logits) if (x > most) most = x;
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - most);
  const norm = most + Math.log(sum);
  let entropy = 0;
  const log = logits.map((x) => {
    const p = x - norm;
    entropy -= Math.exp(p) * p;
    return p;
  });
  return { log, entropy };
}

/** Cut to the nucleus and renormalised; -Infinity for what is cut. */
function nucleus(log: Float64Array, topP: number): Float64Array {
  const order = Array.from(log.keys()).sort((a, b) => log[b] - log[a]);
  const out = new Float64Array(log.length).fill(-Infinity);
  let mass = 0;
  for (const v of order) {
    if (mass >= topP) break;
    mass += Math.exp(log[v]);
    out[v] = log[v];
  }
  return out.map((x) => x - Math.log(mass));
}

function draw(log: Float64Array, random: Random): number {
  let left = random.uniform();
  for (let v = 0; v < log.length; v++) {
    left -= Math.exp(log[v]);
    if (left <= 0) return v;
  }
  return log.reduce((best, x, v) => (x > log[best] ? v : best), 0);
}

function written(digits: Recipe['digits']): (x: number) => number {
  if (digits === 'float64') return (x) => x;
  if (digits === 'float32') return Math.fround;
  return (x) => Math.round(x * 10 ** digits) / 10 ** digits || 0;
}

export function plant(recipe: Recipe, seed: number): HealthBatch & { rollouts: Rollouts } {
  const random = new Random(seed, STREAM.synthetic, 2);
  const { prompts, groupSize, lengths, vocabulary, temperature = 1, topP = 1 } = recipe;
  const n = prompts * groupSize;
  const offsets = new Uint32Array(n + 1);
  for (let i = 0; i < n; i++) {
    const length = lengths[0] + random.integer(lengths[1] - lengths[0] + 1);
    offsets[i + 1] = offsets[i] + length;
  }
  const tokens = offsets[n];
  const write = written(recipe.digits);
  const logpOld = new Float64Array(tokens);
  const logpNew = new Float64Array(tokens);
  const logpSampler = new Float64Array(tokens);
  const entropyOld = new Float64Array(tokens);
  const tokenIds = new Int32Array(tokens);
  const direction = new Float64Array(vocabulary);
  for (let i = 0; i < n; i++) {
    // An update moves the same logits of a prompt in the same way, and others at random.
    if (i % groupSize === 0) direction.forEach((_, v) => (direction[v] = random.normal()));
    for (let t = offsets[i]; t < offsets[i + 1]; t++) {
      const logits = Float64Array.from(
        { length: vocabulary },
        () => recipe.sharpness * random.normal(),
      );
      const old = softmax(logits);
      let sampled = old.log;
      if (recipe.engine !== null) {
        const noise = recipe.engine;
        sampled = softmax(logits.map((x) => (x + noise * random.normal()) / temperature)).log;
      }
      if (topP < 1) sampled = nucleus(sampled, topP);
      const v = draw(sampled, random);
      const fresh =
        recipe.update === 0
          ? old
          : softmax(
              logits.map((x, k) => x + recipe.update * (random.normal() + 0.3 * direction[k])),
            );
      tokenIds[t] = v;
      logpOld[t] = write(old.log[v]);
      logpNew[t] = write(fresh.log[v]);
      logpSampler[t] = write(sampled[v]);
      entropyOld[t] = old.entropy;
    }
  }
  const group = Uint32Array.from({ length: n }, (_, i) => Math.floor(i / groupSize));
  const reward = new Float64Array(n);
  for (let g = 0; g < prompts; g++) {
    // Prompts that are solved sometimes, as a curriculum keeps them.
    const chance = 0.25 + 0.5 * random.uniform();
    for (let j = 0; j < groupSize; j++) {
      reward[g * groupSize + j] = random.uniform() < chance ? 1 : 0;
    }
  }
  const rollouts: Rollouts = {
    offsets,
    tokenIds,
    logpOld,
    logpNew,
    ...(recipe.engine === null ? {} : { logpSampler }),
    ...(recipe.entropy ? { entropyOld } : {}),
    group,
    reward,
    advantage: groupAdvantages(reward, group, 'trl'),
    finished: new Uint8Array(n).fill(1),
    prompts: Array.from({ length: prompts }, (_, g) => `p${g}`),
  };
  return {
    rollouts,
    groupIds: rollouts.prompts,
    sample: Uint32Array.from({ length: n }, (_, i) => i % groupSize),
    step: Float64Array.from({ length: n }, (_, i) =>
      recipe.steps === 1 ? -1 : 1 + Math.floor((i / n) * recipe.steps),
    ),
    facts: { endKnown: new Uint8Array(n) },
  };
}
