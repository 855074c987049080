/**
 * The kernels in float64 on the CPU: the oracle that `src/gpu` is tested against, and the backend
 * where there is no GPU. Contract: `Kernels`, with every input checked.
 */
import {
  checkAutocovariance,
  checkHistogram,
  checkLogits,
  checkLogProbPair,
  checkPrefixMoments,
} from './kernel-input';
import { autocovariance, histogram, type Kernels } from './kernels';
import { tokenStats } from './log-softmax';
import { prefixMoments } from './prefix-moments';
import { sequenceForms } from './sequence-forms';

/** @throws (as rejections) KernelInputError */
export const cpuKernels: Kernels = {
  backend: 'cpu',
  async tokenStats(logits, vocabulary, targets) {
    checkLogits(logits, vocabulary, targets);
    return tokenStats(logits, vocabulary, targets);
  },
  async sequenceForms(logpOld, logpNew, offsets) {
    checkLogProbPair(logpOld, logpNew, offsets);
    return sequenceForms(logpOld, logpNew, offsets);
  },
  async histogram(values, spec) {
    checkHistogram(spec);
    return histogram(values, spec);
  },
  async prefixMoments(logRatio, offsets, maxLength) {
    checkPrefixMoments(logRatio, offsets, maxLength);
    return prefixMoments(logRatio, offsets, maxLength);
  },
  async autocovariance(logRatio, offsets, center, maxLag) {
    checkAutocovariance(logRatio, offsets, center, maxLag);
    return autocovariance(logRatio, offsets, center, maxLag);
  },
};
