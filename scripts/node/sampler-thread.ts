/** A sampler's thread in Node: `thread.ts` starts it. Everything below is wiring; the work is in the sampler. */
import { parentPort } from 'node:worker_threads';
import type { SamplerRequest } from '../../src/engine/sampler/protocol';
import { Sampler } from '../../src/engine/sampler/sampler';
import { NODE_ASSETS } from './ort';

const port = parentPort;
if (port === null) throw new Error('This file is run as a thread.');

const sampler = new Sampler({
  assets: NODE_ASSETS,
  emit: (message) => port.postMessage(message),
});

port.on('message', (request: SamplerRequest) => void sampler.handle(request));
