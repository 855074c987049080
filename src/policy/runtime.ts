/**
 * Loads onnxruntime-web, one of its builds: for WebAssembly alone, or for WebGPU. Those for WebGPU wait for the GPU
 * within WebAssembly, by JSPI where the browser has it (4.1 MB gzip), else by code that can unwind its own stack
 * (asyncify, 6.6 MB). Only the one that is used is fetched.
 *
 * Contract: the caller says where the .mjs and .wasm files are (no CDN, no DOM, works in Node). On
 * WebGPU the `GPUDevice` is ours and is handed to every session; `ort.env.webgpu.device` would be
 * ignored, and a device that onnxruntime made itself can vanish with its last session (seen in 1.30).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type * as Ort from 'onnxruntime-web';

export type Provider = 'webgpu' | 'wasm';

/** URLs of the runtime's two files. */
export interface OrtFiles {
  mjs: string;
  wasm: string;
}

export type OrtBuild = 'jspi' | 'asyncify' | 'wasm';

export type OrtAssets = Record<OrtBuild, OrtFiles>;

/** JavaScript Promise Integration: WebAssembly that waits for a promise (Chrome and Edge 137 or newer). */
export function hasJspi(webAssembly: object = WebAssembly): boolean {
  return 'Suspending' in webAssembly && 'promising' in webAssembly;
}

/** @param jspi whether there is JSPI; found out where left out */
export function buildFor(provider: Provider, jspi = hasJspi()): OrtBuild {
  if (provider === 'wasm') return 'wasm';
  return jspi ? 'jspi' : 'asyncify';
}

const LOADERS: Record<OrtBuild, () => Promise<typeof Ort>> = {
  jspi: () => import('onnxruntime-web/jspi'),
  asyncify: () => import('onnxruntime-web/webgpu'),
  wasm: () => import('onnxruntime-web/wasm'),
};

export interface Runtime {
  ort: typeof Ort;
  provider: Provider;
  /** present exactly when provider is 'webgpu' */
  device?: GPUDevice;
}

/**
 * Threads of onnxruntime in a worker. A second one gains a tenth at these sizes on two idle cores and loses where
 * they are busy; it needs an isolated page, in which Firefox 153 loses the first message to a module worker now
 * and then, so that its threads never start and a run hangs (onnxruntime 1.30).
 */
export const ORT_THREADS = 1;

export interface RuntimeOptions {
  assets: OrtAssets;
  device?: GPUDevice;
  /** another build than `buildFor` chooses */
  build?: OrtBuild;
}

export async function loadRuntime(provider: Provider, options: RuntimeOptions): Promise<Runtime> {
  const build = options.build ?? buildFor(provider);
  const ort = await LOADERS[build]();
  ort.env.wasm.wasmPaths = options.assets[build];
  ort.env.wasm.numThreads = ORT_THREADS;
  ort.env.logLevel = 'error';
  if (provider === 'wasm') return { ort, provider };
  if (!options.device) throw new Error('The webgpu provider needs a GPUDevice.');
  return { ort, provider, device: options.device };
}

/**
 * Resolves when the runtime's WebAssembly is compiled: onnxruntime does that with its first session alone, and has
 * no other call for it.
 */
export async function compiled(runtime: Runtime): Promise<Runtime> {
  const { InferenceSession } = runtime.ort;
  const session = await InferenceSession.create(identityModel(), { executionProviders: ['wasm'] });
  await session.release();
  return runtime;
}

/** The smallest graph: y = x. */
function identityModel(): Uint8Array<ArrayBuffer> {
  const scalar = (name: string) =>
    create(ValueInfoProtoSchema, {
      name,
      type: create(TypeProtoSchema, {
        value: {
          case: 'tensorType',
          value: create(TypeProto_TensorSchema, { elemType: TensorProto_DataType.FLOAT }),
        },
      }),
    });
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(OperatorSetIdProtoSchema, { version: 17n })],
    graph: create(GraphProtoSchema, {
      name: 'identity',
      node: [create(NodeProtoSchema, { opType: 'Identity', input: ['x'], output: ['y'] })],
      input: [scalar('x')],
      output: [scalar('y')],
    }),
  });
  return toBinary(ModelProtoSchema, model) as Uint8Array<ArrayBuffer>;
}
