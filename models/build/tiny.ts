/**
 * A policy for tests: the real graph, small, with random weights, held in memory behind the same
 * `FileSource` as a shipped one. Contract: the same bytes for the same seed; nothing here ships.
 */
import { FetchError, type FileSource } from '../../src/policy/fetch';
import type { Weights } from '../../src/policy/graph/lift';
import type { PolicyManifest } from '../../src/policy/manifest';
import { writeSafetensors } from '../../src/policy/safetensors';
import { initialWeights, parameterCount, parameterSpecs, type Architecture } from './architecture';
import { configFiles } from './files';
import { writeOnnx } from './onnx-author';
import { ARITHMETIC_VOCABULARY, RECIPES, type Recipe } from './recipes';

export const TINY: Architecture = {
  vocabulary: ARITHMETIC_VOCABULARY,
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 24,
  maxPositions: 64,
  ropeTheta: 10_000,
  rmsNormEpsilon: 1e-5,
};

export interface TinyPolicy {
  manifest: PolicyManifest;
  files: FileSource;
  onnx: Uint8Array;
  /** by checkpoint id: `a`, and `b`, which differs a little */
  checkpoints: Record<'a' | 'b', Weights>;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes));
  return Array.from(new Uint8Array(digest), (x) => x.toString(16).padStart(2, '0')).join('');
}

function weightsOf(architecture: Architecture, seed: number, noise: number): Weights {
  const values = initialWeights(architecture, seed);
  const other = initialWeights(architecture, seed + 1000);
  const weights: Weights = new Map();
  for (const { name, shape } of parameterSpecs(architecture)) {
    const base = values.get(name) as Float32Array;
    const shift = other.get(name) as Float32Array;
    const mixed = base.map((x, i) => x + noise * shift[i]);
    weights.set(name, { shape, values: Float32Array.from(mixed) });
  }
  return weights;
}

export async function tinyPolicy(seed = 1, architecture = TINY): Promise<TinyPolicy> {
  const recipe: Recipe = { ...RECIPES['arithmetic-dense'], architecture };
  const checkpoints = {
    a: weightsOf(architecture, seed, 0),
    b: weightsOf(architecture, seed, 0.05),
  };
  const onnx = writeOnnx(architecture, new Map([...checkpoints.a].map(([k, w]) => [k, w.values])));
  const stored = new Map<string, Uint8Array>();
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  for (const [name, value] of Object.entries(configFiles(recipe))) {
    stored.set(`tiny/${name}`, json(value));
  }
  stored.set('tiny/onnx/model.onnx', onnx);
  const listed: PolicyManifest['checkpoints'] = [];
  for (const [id, weights] of Object.entries(checkpoints)) {
    const bytes = writeSafetensors(weights, { step: '0' });
    const file = `checkpoints/${id}.safetensors`;
    stored.set(`tiny/${file}`, bytes);
    listed.push({
      id,
      file,
      series: 'supervised',
      step: 0,
      loss: 3,
      accuracy: 0,
      accuracyInterval: [0, 1],
      accuracyPrompts: 1,
      bytes: bytes.byteLength,
      sha256: await sha256(bytes),
    });
  }
  const pinned = async <F extends string>(file: F) => {
    const bytes = stored.get(`tiny/${file}`) as Uint8Array;
    return { file, bytes: bytes.byteLength, sha256: await sha256(bytes) };
  };
  const manifest: PolicyManifest = {
    name: 'tiny',
    title: 'Tiny',
    task: 'arithmetic',
    parameters: parameterCount(architecture),
    onnx: { file: 'onnx/model.onnx', bytes: onnx.byteLength, sha256: await sha256(onnx) },
    config: await pinned('config.json'),
    tokenizer: await pinned('tokenizer.json'),
    checkpoints: listed,
    defaultPair: { old: 'a', new: 'b' },
  };
  stored.set('tiny/lab.json', json(manifest));
  stored.set('index.json', json(['tiny']));
  const files: FileSource = async (path) => {
    const bytes = stored.get(path);
    if (!bytes) throw new FetchError(`models/${path} could not be fetched: HTTP status 404.`);
    return Uint8Array.from(bytes);
  };
  return { manifest, files, onnx, checkpoints };
}
