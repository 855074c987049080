import { describeKernels } from '../gpu/kernels.suite';
import { cpuKernels } from './cpu-kernels';

describeKernels(() => Promise.resolve(cpuKernels), {
  nats: 1e-11,
  weight: 1e-11,
  moments: 1e-12,
  runs: 200,
});
