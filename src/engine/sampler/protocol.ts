/**
 * What the engine and the threads that sample for it say to each other: calls with their replies, the files that a
 * sampler asks for, and those that it is sent.
 */
import type { FetchProgress } from '../../policy/fetch';
import type { PolicyManifest } from '../../policy/manifest';
import type { BatchCut } from '../../rollouts/policies';
import type { Rollouts } from '../../rollouts/rollouts';
import type { PoliciesSource } from '../../settings/run';
import type { Answer, Ask, Cancel } from '../rpc/channel';

export interface BatchAsk {
  manifest: PolicyManifest;
  source: PoliciesSource;
  cut: BatchCut;
  index: number;
}

export type SamplerCalls = {
  /** the first call: answered as soon as the thread hears anything */
  hello: { ask: object; reply: null };
  /** calls that wait are announced to the decoder, so that its rows stay full */
  batch: { ask: BatchAsk; reply: { rollouts: Rollouts } };
};

/** The engine has the files, fetched and checked once for all threads, and a person's own checkpoints. */
export type FileOrder = { type: 'file'; path: string } & (
  { bytes: Uint8Array<ArrayBuffer> } | { message: string }
);

export type SamplerRequest = Ask<SamplerCalls> | FileOrder | Cancel;

export type SamplerEvent =
  | { type: 'want'; path: string }
  | { type: 'phase'; index: number; phase: 'sampling' | 'scoring' }
  | { type: 'loading'; loaded: Parameters<FetchProgress>[0] }
  /** said by the channel, not by the thread */
  | { type: 'died' };

export type SamplerMessage = Answer<SamplerCalls> | SamplerEvent;
