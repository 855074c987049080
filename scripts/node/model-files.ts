/** For tests: a foreign model's files as the engine is handed them, in each of the shapes of `foreign.ts`. */
import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Dtype, ModelFiles } from '../../src/policy/foreign/repository';
import { foreignModel, type Form } from './foreign';
import { ROOT } from './ort';

const DTYPES: Record<Form, Dtype> = {
  model: 'fp32',
  model_fp16: 'fp16',
  model_gqa: 'fp32',
  model_q4: 'q4',
};

let known: ReturnType<typeof foreignModel> | undefined;

export function foreignFiles(form: Form = 'model', changed: Partial<ModelFiles> = {}): ModelFiles {
  const { folder, onnx } = (known ??= foreignModel());
  const base = folder ?? fileURLToPath(new URL('models/arithmetic-dense/', ROOT));
  const json = (path: string): unknown =>
    existsSync(base + path) ? JSON.parse(readFileSync(base + path, 'utf8')) : null;
  const bytes = Uint8Array.from(onnx[form]);
  const file = `onnx/${form}.onnx`;
  const dtype = DTYPES[form];
  return {
    repository: {
      ref: `folder:${form}`,
      revision: null,
      files: [{ path: file, bytes: bytes.length, sha256: null }],
      graphs: [{ dtype, file, external: [], bytes: bytes.length }],
      licence: null,
      card: null,
    },
    dtype,
    config: json('config.json'),
    tokenizer: json('tokenizer.json'),
    tokenizerConfig: json('tokenizer_config.json'),
    generationConfig: json('generation_config.json'),
    chatTemplate: null,
    onnx: bytes,
    external: new Map(),
    sha256: {},
    ...changed,
  };
}
