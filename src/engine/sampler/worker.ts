/** A sampler's thread. Everything below is wiring; the work is in `sampler.ts`. */
import { SITE_ASSETS } from '../assets';
import { connected } from '../rpc/page-workers';
import type { SamplerRequest } from './protocol';
import { Sampler } from './sampler';

connected<SamplerRequest>((emit) => {
  const sampler = new Sampler({ assets: SITE_ASSETS, emit });
  return (request) => void sampler.handle(request);
});
