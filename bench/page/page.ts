/** The page that `npm run bench` drives: each bench is a function on `window`. */
import { openDevice } from '../../src/gpu/device';
import { benchForeign, type ForeignOptions } from '../foreign';
import { benchPeers, type PeerOptions } from '../peers';
import { benchTraining, type TrainingOptions } from '../training';
import { benchTokenKernel, type TokenKernelOptions } from '../token-kernel';

const benches = {
  training: (options: TrainingOptions) => benchTraining(options),
  foreign: (options: ForeignOptions) => benchForeign(options),
  peers: (options: PeerOptions) => benchPeers(options),
  tokenKernel: async (options: TokenKernelOptions) => {
    const { device, name, isFallbackAdapter } = await openDevice();
    return { name, isFallbackAdapter, ...(await benchTokenKernel(device, options)) };
  },
  adapter: async () => {
    const { device, name, isFallbackAdapter } = await openDevice();
    device.destroy();
    return { name, isFallbackAdapter };
  },
};

export type Benches = typeof benches;

declare global {
  interface Window {
    benches: Benches;
  }
}

window.benches = benches;
