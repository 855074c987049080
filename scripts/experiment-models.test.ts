/** `npm run experiment -- LINK --models DIR`, on a folder in a hub's layout. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from './experiment';
import { foreignModel } from './node/foreign';
import { foreignFiles } from './node/model-files';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-'));
  const { onnx } = foreignModel();
  const { config, tokenizer, tokenizerConfig } = foreignFiles();
  const model = join(folder, 'someone', 'small');
  await mkdir(join(model, 'onnx'), { recursive: true });
  await writeFile(join(model, 'config.json'), JSON.stringify(config));
  await writeFile(join(model, 'tokenizer.json'), JSON.stringify(tokenizer));
  await writeFile(join(model, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  await writeFile(join(model, 'onnx', 'model.onnx'), onnx.model);
  await writeFile(join(model, 'onnx', 'model_q4.onnx'), onnx.model_q4);
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const status = await main(
    argv,
    (line) => out.push(line),
    (line) => errors.push(line),
  );
  return { status, out: out.join('\n'), link: out.at(-1) ?? '', errors: errors.join('\n') };
}

const TEXTS = encodeURIComponent(foreignModel().folder === null ? '1+1=\n8*3+2=' : 'Once\nOne day');
const LINK =
  '#/equivalence?v=3&source=models&old=hub:someone/small&new=hub:someone/small' +
  `&texts=${TEXTS}&groupSize=2&maxLength=8`;

describe('npm run experiment with models of other people', () => {
  test('runs, says what was used and how noisy it is, and repeats itself', async () => {
    const first = await run(LINK, '--models', folder);
    expect(first.errors).not.toContain('experiment:');
    expect(first.status).toBe(0);
    expect(first.out).toMatch(/hub:someone\/small, q4: its forms differ by [\d.e-]+ nats a token/);
    expect(first.out).toMatch(/sha256 [0-9a-f]{64} {2}hub:someone\/small\/onnx\/model_q4\.onnx/);
    const again = await run(first.link, '--models', folder);
    expect(again.out).toContain('The same as in the link.');
    expect(again.status).toBe(0);
  });

  test('says what is missing', async () => {
    const without = await run(LINK);
    expect(without.status).toBe(2);
    expect(without.errors).toContain('--models DIR');
    const other = await run(LINK.replace('old=hub:someone', 'old=hub:nobody'), '--models', '/tmp');
    expect(other.status).toBe(2);
    expect(other.errors).toMatch(/names the model nobody\/small; there is no config\.json in/);
    const onGpu = await run(LINK, '--models', folder, '--backend', 'webgpu');
    expect(onGpu.errors).toContain('--models runs on wasm');
  });
});
