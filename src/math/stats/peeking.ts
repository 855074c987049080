/**
 * What looking again and again does: growing runs in which the law is true (independent normal tokens), judged at every
 * look by an interval for a number of prompts fixed beforehand, and by one that is valid at every look.
 *
 * The statistic is log of sum L s^2 over sum mean_t d_t^2 (`averaging.ts`), 0 in truth, with the cluster-robust standard
 * error of a quotient of sums over prompts.
 *
 * Contract: a pure function of its arguments; about 30 million floating-point operations for 100 runs.
 */
import { Random, STREAM } from '../philox';
import { ALPHA, anytimeInterval, fixedInterval, tuningOf, type Measured } from './anytime';

const GROUP_SIZE = 8;
const TOKENS = 8;
const FIRST_LOOK = 20;
const SUBSTREAM = 1 << 20;

export interface Look {
  /** prompts at this look */
  prompts: number;
  /** log of the level */
  estimate: number;
  fixed: [number, number];
  anytime: [number, number];
}

/** as many runs as are looked at together */
const RUNS = 100;

export interface Peeking {
  /** the first of them, from 1 */
  from: number;
  runs: number;
  /** looks at each */
  looks: number;
  /** runs in which an interval excluded the truth at some look */
  wrong: { fixed: number; anytime: number };
  /** one of them: the first in which the fixed-n interval was wrong, else the first */
  shown: Look[];
}

/** Prompts at the looks: each a twelfth more than at the one before. */
function looksAt(prompts: number): number[] {
  const at: number[] = [];
  for (let n = FIRST_LOOK; n < prompts; n = Math.ceil(n * (13 / 12))) at.push(n);
  return [...at, prompts];
}

/**
 * @param set which hundred runs: 0, 1, ...
 * @param prompts of a whole run, 8 responses of 8 tokens each
 */
export function peeking(set = 0, runs = RUNS, prompts = 256): Peeking {
  const at = looksAt(prompts);
  const r = tuningOf(prompts);
  // widths in standard errors are the same for every run
  const widths = at.map((clusters) => {
    const one: Measured = { estimate: 0, standardError: 1, clusters, df: clusters - 1 };
    return {
      fixed: fixedInterval(one, ALPHA)?.[1] ?? NaN,
      anytime: anytimeInterval(one, r, ALPHA)?.[1] ?? NaN,
    };
  });
  const wrong = { fixed: 0, anytime: 0 };
  let shown: { looks: Look[]; wolf: boolean } | null = null;
  const misses = ([low, high]: [number, number]): boolean => low > 0 || high < 0;
  const from = set * runs;
  for (let run = from; run < from + runs; run++) {
    const looks = grow(run, prompts, at, widths);
    const wolf = looks.some((look) => misses(look.fixed));
    if (wolf) wrong.fixed++;
    if (looks.some((look) => misses(look.anytime))) wrong.anytime++;
    if (shown === null || (wolf && !shown.wolf)) shown = { looks, wolf };
  }
  return { from: from + 1, runs, looks: at.length, wrong, shown: shown?.looks ?? [] };
}

function grow(
  run: number,
  prompts: number,
  at: readonly number[],
  widths: readonly { fixed: number; anytime: number }[],
): Look[] {
  const random = new Random(run, STREAM.synthetic, SUBSTREAM);
  const looks: Look[] = [];
  // sums over prompts of o, t, o^2, t^2, o t: o = sum of L s^2, t = sum of the mean squared token
  let [o1, t1, oo, tt, ot] = [0, 0, 0, 0, 0];
  for (let n = 1; n <= prompts; n++) {
    let [o, t] = [0, 0];
    for (let j = 0; j < GROUP_SIZE; j++) {
      let [sum, squares] = [0, 0];
      for (let k = 0; k < TOKENS; k++) {
        const d = random.normal();
        sum += d;
        squares += d * d;
      }
      o += (sum * sum) / TOKENS;
      t += squares / TOKENS;
    }
    o1 += o;
    t1 += t;
    oo += o * o;
    tt += t * t;
    ot += o * t;
    const width = widths[looks.length];
    if (n !== at[looks.length] || width === undefined) continue;
    const level = o1 / t1;
    const residual = oo - 2 * level * ot + level * level * tt;
    const standardError = Math.sqrt((residual * n) / (n - 1)) / o1;
    const estimate = Math.log(level);
    const around = (z: number): [number, number] => [
      estimate - z * standardError,
      estimate + z * standardError,
    ];
    looks.push({
      prompts: n,
      estimate,
      fixed: around(width.fixed),
      anytime: around(width.anytime),
    });
  }
  return looks;
}
