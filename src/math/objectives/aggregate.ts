/**
 * How token losses become one number. Contract: one coefficient per sequence, so that
 * loss = sum_i c_i sum_{t in i} loss_t; every aggregation of TRL and verl has that shape.
 *
 * TRL: `GRPOTrainer._compute_loss` (loss types grpo, bnpo/dapo on one device, dr_grpo, luspo).
 * verl: `agg_loss`; it leaves empty sequences out of the mean and has 1e-8 beside each length.
 */
import { VERL_EPSILON } from './arithmetic';
import { ObjectiveError, type Aggregation, type Library } from './types';

/** @returns [n] coefficient of each token of sequence i */
export function coefficients(
  aggregation: Aggregation,
  library: Library,
  offsets: Uint32Array,
): Float64Array {
  const n = offsets.length - 1;
  const tokens = offsets[n];
  let filled = 0;
  let longest = 0;
  for (let i = 0; i < n; i++) {
    const length = offsets[i + 1] - offsets[i];
    if (length > 0) filled++;
    if (length > longest) longest = length;
  }
  const sequences = library === 'verl' ? filled : n;
  const out = new Float64Array(n);
  if (filled === 0) return out;
  switch (aggregation.kind) {
    case 'token-mean':
      return out.fill(1 / tokens);
    case 'token-sum':
      return out.fill(1);
    case 'seq-mean-token-sum':
      return out.fill(1 / sequences);
    case 'seq-mean-token-sum-norm': {
      const length = aggregation.length ?? longest;
      if (!(length > 0)) {
        throw new ObjectiveError(
          `The constant length of "seq-mean-token-sum-norm" is ${length}; it must be positive.`,
        );
      }
      return out.fill(1 / (sequences * length));
    }
    case 'seq-mean-token-mean':
      for (let i = 0; i < n; i++) {
        const length = offsets[i + 1] - offsets[i];
        out[i] =
          library === 'verl'
            ? 1 / (sequences * (length + VERL_EPSILON))
            : 1 / (sequences * Math.max(length, 1));
      }
      return out;
  }
}
