/**
 * A policy's own ONNX graph as a differentiable function of its lifted weights, by jax-js: the lab's, or a foreign
 * one whose contributed operators are then written in plain ones (weights in few bits are unpacked to float32).
 *
 * Contract: `tokenLogProbs` is log softmax of the very graph that onnxruntime samples from (a test
 * compares them); weights go in and out as `Weights`, in file order.
 */
import { nn, numpy as np } from '@jax-js/jax';
import { ONNXModel } from '@jax-js/onnx';
import { TensorProto_DataType } from 'onnx-buf';
import type { PolicyFiles } from '../policy/fetch';
import { cut, tap } from '../policy/graph/cut';
import { makeDifferentiable } from '../policy/graph/expand/differentiable';
import { liftWeights, type Weights } from '../policy/graph/lift';
import { routesIn, type GivenRoutes } from '../policy/graph/routes';
import {
  emptyCacheShape,
  readPorts,
  type PolicyPorts,
  type PortNames,
} from '../policy/graph/ports';
import { decode, type OnnxModel } from '../policy/graph/proto';
import type { Params } from './adamw';

/** Token grids of one forward pass, int32 [B, T]. */
export interface TokenGrids {
  inputIds: np.Array;
  attentionMask: np.Array;
  positionIds: np.Array;
  /** the token that each place is to predict */
  targets: np.Array;
}

/**
 * Cuts the running sums of the attention mask out of the graph: names of the tensors that are fed instead.
 *
 * Why: jax-js unrolls `CumSum` into one kernel with a short-circuit `||` per place, and SwiftShader, the
 * software adapter of Chromium, compiles 32 of those for longer than anyone waits (over 100 s, against
 * 0.03 s without; jax-js 0.1, Chromium 156). May go once jax-js sums prefixes by a scan.
 */
function cutRunningMasks(model: OnnxModel, { mask }: PolicyPorts): string[] {
  const sums = model.graph.node.filter(
    ({ opType, input, attribute }) =>
      opType === 'CumSum' && input[0] === mask?.name && attribute.length === 0,
  );
  const names = sums.map(({ output }) => output[0]);
  for (const name of names) cut(model, name, TensorProto_DataType.INT64);
  return names;
}

/** [B, T] -> [B, T] how much of each row is attended to up to and with each place. Consumes the mask. */
function runningSum(mask: np.Array): np.Array {
  const width = mask.shape[1];
  const upTo = Float32Array.from({ length: width * width }, (_, i) =>
    Math.floor(i / width) <= i % width ? 1 : 0,
  );
  const triangle = np.array(upTo, { shape: [width, width], dtype: np.float32 });
  return np.matmul(mask.astype(np.float32), triangle).astype(np.int32);
}

export class DifferentiablePolicy {
  private readonly model: ONNXModel;
  private readonly ports: PolicyPorts;
  private readonly runningMasks: string[];
  /** inner float tensors that `forward` gives beside the log-probs */
  private readonly taps: readonly string[];
  /** inner float tensors that `forward` is given instead of computing them */
  private readonly cuts: readonly string[];
  /** the weights that were in the file */
  readonly fileWeights: Weights;
  /** what `forward` is given besides where routes are replayed: of each layer [B, T, experts], 1 for a chosen one */
  readonly routes: GivenRoutes | null;

  /**
   * @param onnx the bytes of `onnx/model.onnx`
   * @throws GraphError where no gradient can be taken, with the operator that stands in the way
   */
  constructor(
    onnx: Uint8Array,
    {
      names,
      taps = [],
      cuts: inner = [],
      replay = false,
    }: {
      names?: PortNames;
      taps?: readonly string[];
      cuts?: readonly string[];
      /** the experts of each token are given, where the graph has any */
      replay?: boolean;
    } = {},
  ) {
    const model = decode(onnx);
    makeDifferentiable(model, names);
    this.routes = replay ? routesIn(model) : null;
    const cuts = [...inner, ...(this.routes?.names ?? [])];
    this.taps = taps;
    this.cuts = cuts;
    for (const name of taps) tap(model, name, TensorProto_DataType.FLOAT);
    this.ports = readPorts(model, names);
    for (const name of cuts) cut(model, name, TensorProto_DataType.FLOAT);
    this.runningMasks = cutRunningMasks(model, this.ports);
    const lifted = liftWeights(model);
    this.model = new ONNXModel(lifted.bytes);
    this.fileWeights = lifted.weights;
  }

  /**
   * Consumes everything.
   * @param given the tensors cut at, by name
   * @returns [B, T] log pi(target | what stands before it), nats
   */
  tokenLogProbs(params: Params, grids: TokenGrids, given: Params = {}): np.Array {
    const { logp, taps } = this.forward(params, grids, given);
    for (const array of Object.values(taps)) array.dispose();
    return logp;
  }

  /**
   * The same, and the tapped tensors by name.
   * @param given the tensors cut at, by name
   */
  forward(params: Params, grids: TokenGrids, given: Params = {}): { logp: np.Array; taps: Params } {
    const [batch] = grids.inputIds.shape as [number];
    const { tokens, mask, positions, logits, caches } = this.ports;
    const feeds: Params = { ...params, [tokens.name]: grids.inputIds };
    for (const name of this.cuts) feeds[name] = given[name];
    for (const name of this.runningMasks) feeds[name] = runningSum(grids.attentionMask.ref);
    if (mask) feeds[mask.name] = grids.attentionMask;
    else grids.attentionMask.dispose();
    if (positions) feeds[positions.name] = grids.positionIds;
    else grids.positionIds.dispose();
    for (const cache of caches) feeds[cache.input.name] = np.zeros(emptyCacheShape(cache, batch));
    const { [logits.name]: wanted, ...rest } = this.model.run(feeds);
    const taps: Params = {};
    for (const [name, array] of Object.entries(rest)) {
      if (this.taps.includes(name)) taps[name] = array;
      else array.dispose();
    }
    // Of the graph's own width: it may be padded beyond the tokenizer's vocabulary.
    const width = wanted.shape[2];
    const logp = nn.logSoftmax(wanted, -1).mul(nn.oneHot(grids.targets, width)).sum(-1);
    return { logp, taps };
  }

  dispose(): void {
    this.model.dispose();
  }
}

/** The graph that a session samples from, differentiable. */
export function differentiable({ onnx, portNames }: PolicyFiles): DifferentiablePolicy {
  return new DifferentiablePolicy(onnx, { names: portNames });
}

/** The same with the experts of each token given (routing replay); null where it has no experts. */
export function replaying({ onnx, portNames }: PolicyFiles): DifferentiablePolicy | null {
  if (routesIn(decode(onnx)) === null) return null;
  return new DifferentiablePolicy(onnx, { names: portNames, replay: true });
}

export function uploadParams(weights: Weights, prefix = ''): Params {
  const params: Params = {};
  for (const [name, { shape, values }] of weights) {
    if (!name.startsWith(prefix)) continue;
    params[name.slice(prefix.length)] = np.array(values, { shape, dtype: np.float32 });
  }
  return params;
}

/** Copies; the parameters stay, and may be disposed of while the copy is under way. */
export async function downloadParams(params: Params, prefix = ''): Promise<Weights> {
  const weights: Weights = new Map();
  const held = Object.entries(params).map(([name, array]) => [name, array.ref] as const);
  for (const [name, array] of held) {
    const shape = [...array.shape];
    const values = (await array.data()) as Float32Array<ArrayBuffer>;
    weights.set(prefix + name, { shape, values: new Float32Array(values) });
  }
  return weights;
}
