/**
 * Writes `public/example/rollouts.jsonl`, the file behind "Load the example": synthetic rollouts, so that
 * nobody takes them for a measurement, and stamped as such in every line.
 *
 *   npx tsx scripts/example-rollouts.ts
 *
 * Contract: deterministic. 48 prompts of 8, at most 60 tokens; mean ratio 1 (mu = -sigma^2 / 2); a sampler
 * whose log-probs differ from the trainer's by bfloat16 rounding.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { roundTo } from '../src/experiments/precision/rounding';
import { DEFAULT_SYNTHETIC } from '../src/settings/run';
import { sequenceCount } from '../src/rollouts/rollouts';
import { syntheticRollouts } from '../src/rollouts/synthetic';

const OUT = fileURLToPath(new URL('../public/example/rollouts.jsonl', import.meta.url));
const DIGITS = 1e7;

const rollouts = syntheticRollouts({
  ...DEFAULT_SYNTHETIC,
  prompts: 48,
  groupSize: 8,
  maxLength: 60,
  sigma: 0.004,
  mu: -0.000008,
  tau: 0.0003,
});
const lines = Array.from({ length: sequenceCount(rollouts) }, (_, i) => {
  const from = rollouts.offsets[i];
  const to = rollouts.offsets[i + 1];
  const column = (values: ArrayLike<number>, change: (x: number) => number = (x) => x) =>
    Array.from({ length: to - from }, (_, t) => {
      const rounded = Math.round(change(values[from + t]) * DIGITS) / DIGITS;
      return rounded === 0 ? 0 : rounded;
    });
  return JSON.stringify({
    v: 1,
    step: 1 + (i >= sequenceCount(rollouts) / 2 ? 1 : 0),
    group: `prompt-${rollouts.group[i]}`,
    logp_old: column(rollouts.logpOld),
    logp_new: column(rollouts.logpNew),
    logp_sampler: column(rollouts.logpOld, (x) => roundTo(x, 'bf16')),
    reward: rollouts.reward[i],
    meta: { example: 'synthetic, no measurement', max_completion_length: 64 },
  });
});
mkdirSync(new URL('.', `file://${OUT}`), { recursive: true });
writeFileSync(OUT, `${lines.join('\n')}\n`);
console.log(`${OUT}: ${lines.length} responses`);
