/**
 * A foreign model through the lab and through Transformers.js, on the same files, in the same onnxruntime on wasm: the
 * tokenizer's ids and greedy tokens are the same in all four export shapes.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type * as Transformers from '@huggingface/transformers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ForeignModel } from '../src/policy/foreign/model';
import { loadRuntime, type Runtime } from '../src/policy/runtime';
import { sampleSequences } from '../src/policy/sample';
import { foreignModel, FORMS, type Form } from './node/foreign';
import { foreignFiles } from './node/model-files';
import { NODE_ASSETS, ROOT } from './node/ort';

type Peer = typeof Transformers;

const NAME = 'peer';
const TOKENS = 24;
/** Transformers.js looks for an onnxruntime of the page's own under this name. */
const OWN_RUNTIME = Symbol.for('onnxruntime');
/** A suffix of the file says the type, for those that it has a name for. */
const DTYPES: Record<Form, { dtype: 'fp32' | 'fp16' | 'q4'; file: string }> = {
  model: { dtype: 'fp32', file: 'model' },
  model_fp16: { dtype: 'fp16', file: 'model' },
  model_gqa: { dtype: 'fp32', file: 'model_gqa' },
  model_q4: { dtype: 'q4', file: 'model' },
};

const root = mkdtempSync(`${tmpdir()}/lab-peers-`);
let runtime: Runtime;
let peer: Peer;

beforeAll(async () => {
  const { folder, onnx } = foreignModel();
  const from = folder ?? fileURLToPath(new URL('models/arithmetic-dense/', ROOT));
  cpSync(from, `${root}/${NAME}`, {
    recursive: true,
    filter: (path) => path.endsWith(NAME) || !/\.(onnx|safetensors)$/.test(path),
  });
  for (const form of FORMS) writeFileSync(`${root}/${NAME}/onnx/${form}.onnx`, onnx[form]);
  runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const { ort } = runtime;
  // In Node it hands out paths, which this build of onnxruntime would fetch.
  const create = (path: string, options: object) =>
    ort.InferenceSession.create(new Uint8Array(readFileSync(path)), options);
  Reflect.set(globalThis, OWN_RUNTIME, { ...ort, InferenceSession: { create } });
  peer = await import('@huggingface/transformers');
  peer.env.allowRemoteModels = false;
  peer.env.localModelPath = `${root}/`;
  peer.env.useWasmCache = false;
});

afterAll(() => {
  Reflect.deleteProperty(globalThis, OWN_RUNTIME);
  rmSync(root, { recursive: true });
});

test.each(FORMS)('%s: the same ids, and the same greedy tokens', async (form) => {
  const files = foreignFiles(form);
  const ours = await ForeignModel.open(files, { gpu: null, wasm: () => Promise.resolve(runtime) });
  const tokenizer = await peer.AutoTokenizer.from_pretrained(NAME);
  const text = foreignModel().folder === null ? '8*3+2-6=' : 'Once upon a time, there was a';
  const inputs = tokenizer(text) as { input_ids: { data: BigInt64Array } };
  const ids = Array.from(inputs.input_ids.data, Number);
  expect(ours.tokenizer.encode(text)).toEqual(ids);

  const [endToken, ...alsoEnds] = ours.ends;
  const { sequences } = await sampleSequences(
    ours.session,
    { feeds: {}, dispose: () => undefined },
    {
      prompts: [ids],
      temperature: 0,
      maxLength: TOKENS,
      maxPositions: ours.maxPositions,
      seed: 1,
      firstSequence: 0,
      endToken,
      alsoEnds,
      padToken: ours.padToken,
    },
  );
  await ours.dispose();

  const { dtype, file } = DTYPES[form];
  const model = await peer.AutoModelForCausalLM.from_pretrained(NAME, {
    dtype,
    model_file_name: file,
    device: 'auto',
    session_options: { executionProviders: ['wasm'] },
  });
  const generated = (await model.generate({
    ...inputs,
    max_new_tokens: TOKENS,
    do_sample: false,
  } as never)) as unknown as { tolist(): bigint[][] };
  const theirs = generated.tolist()[0].slice(ids.length).map(Number);
  await model.dispose();
  expect(theirs.length).toBeGreaterThan(8);
  expect(sequences[0].tokens).toEqual(theirs);
});
