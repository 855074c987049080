/**
 * What the health report finds in the values as they were written: sentinels among the log-probs, too few
 * digits, advantages without signal, cut responses.
 */
import type { FloatArray, Rollouts } from '../rollouts';
import { count, number, percent, share, type Finding } from './finding';

/** nats: no softmax over logits of a trained policy gives less; fillers such as -1e9 and -9999 do */
const LOWEST_LOG_PROB = -1000;
/** Share of values on a coarse grid that gives the grid away. */
const ON_GRID = 0.99;
const GRID_SAMPLE = 20_000;

/** Log-probs that no softmax gives. */
export function range({ logpOld, logpNew, logpSampler }: Rollouts): Finding {
  let absurd = 0;
  let lowest = 0;
  const look = (column: FloatArray) => {
    for (let t = 0; t < column.length; t++) {
      const x = column[t] as number;
      if (x < lowest) lowest = x;
      if (x < LOWEST_LOG_PROB) absurd++;
    }
  };
  for (const column of [logpOld, logpNew, logpSampler]) if (column) look(column);
  const wrong = absurd > 0;
  return {
    id: 'range',
    level: wrong ? 'warning' : 'fine',
    title: wrong ? 'Some log-probs are fillers' : 'Log-probs are of a size that a softmax gives',
    detail: wrong
      ? `Log-probs below ${LOWEST_LOG_PROB} nats are written for padding or for masked logits, not for sampled tokens. One of them decides every mean here: leave those tokens out with "mask".`
      : `None is below ${LOWEST_LOG_PROB} nats.`,
    figures: [count(`log-probs below ${LOWEST_LOG_PROB}`, absurd), number('smallest', lowest)],
  };
}

const bits = new DataView(new ArrayBuffer(4));
/** True for a value that bfloat16 holds exactly. */
function isBf16(x: number): boolean {
  if (Math.fround(x) !== x) return false;
  bits.setFloat32(0, x);
  return bits.getUint16(2) === 0;
}

export function precision(rollouts: Rollouts): Finding {
  // A grid shows in any sample; the first tokens of a large file are enough.
  const informative = rollouts.logpNew.subarray(0, GRID_SAMPLE).filter((x) => x !== 0);
  const bf16 = share(informative, isBf16);
  const decimals = [2, 3, 4, 5].find(
    (k) =>
      share(informative, (x) => Math.abs(x * 10 ** k - Math.round(x * 10 ** k)) < 1e-6) > ON_GRID,
  );
  const coarse = informative.length > 0 && (bf16 > ON_GRID || decimals !== undefined);
  const figures = [percent('new log-probs that bfloat16 holds exactly', bf16)];
  if (decimals !== undefined) figures.push(count('decimals', decimals));
  return {
    id: 'precision',
    level: coarse ? 'warning' : 'fine',
    title: coarse ? 'Log-probs are rounded coarsely' : 'Log-probs have enough digits',
    detail: coarse
      ? "GSPO's band is a few times 1e-4 wide; rounding to bfloat16 or to five or fewer decimals can move a response across it. Write float32 or at least six decimals (see the precision experiment)."
      : 'No coarse grid found in the log-probs.',
    figures,
  };
}

export function signal(rollouts: Rollouts): Finding {
  const zero = share(rollouts.advantage, (a) => a === 0);
  const unknown = share(rollouts.reward, Number.isNaN);
  const flat = zero > 0.5;
  const figures = [percent('responses with advantage 0', zero)];
  if (unknown > 0) figures.push(percent('responses without a reward', unknown));
  return {
    id: 'signal',
    level: flat ? 'warning' : 'fine',
    title: flat ? 'Most responses carry no signal' : 'Advantages carry signal',
    detail: flat
      ? 'More than half of the advantages are 0 (groups in which every response got the same reward): they take part in denominators but not in gradients.'
      : 'Less than half of the advantages are 0.',
    figures,
  };
}

export function cut(rollouts: Rollouts): Finding {
  const open = share(rollouts.finished, (x) => x === 0);
  return {
    id: 'cut',
    level: open > 0.1 ? 'note' : 'fine',
    title: open > 0.1 ? 'Many responses were cut at the length limit' : 'Few responses were cut',
    detail:
      'A cut response has the longest length by construction; length curves mix its effect with that of length.',
    figures: [percent('responses cut at the limit', open)],
  };
}
