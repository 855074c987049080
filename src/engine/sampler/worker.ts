/** A sampler's thread. Everything below is wiring; the work is in `sampler.ts`. */
import { SITE_ASSETS } from '../assets';
import type { SamplerRequest } from './protocol';
import { Sampler } from './sampler';

const sampler = new Sampler({
  assets: SITE_ASSETS,
  emit: (message) => self.postMessage(message),
});

self.onmessage = ({ data }: MessageEvent<SamplerRequest>) => void sampler.handle(data);
