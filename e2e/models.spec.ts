/**
 * A model of one's own, from a local server with a hub's layout: nothing is fetched before a press, a cut is gone on
 * from, what is kept needs no server, links ask, and a run of the pair says its models' own noise.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { foreignModel } from '../scripts/foreign-models';
import { hubServer, type HubServer } from '../scripts/hub-server';
import { liftWeights } from '../src/policy/graph/lift';
import { decode } from '../src/policy/graph/proto';
import { writeSafetensors } from '../src/policy/safetensors';
import { expect, test } from './lab';

const ONNX = 'onnx/model.onnx';
const START = './#/numerics?v=3&backend=wasm&source=synthetic&prompts=4&maxLength=8';
const model = foreignModel();
/** the stand-in has one arithmetic */
const other = model.files.has('onnx/model_q4.onnx') ? 'q4' : 'fp32';
let hub: HubServer;

test.beforeEach(async () => {
  hub = await hubServer();
  hub.repositories.set(`someone/${model.name}`, new Map(model.files));
});
test.afterEach(() => hub.close());

const ofFiles = () => hub.requests.filter((line) => line.includes('/resolve/'));

test('looked at, loaded by a press after a cut, run, and run again from a link without its server', async ({
  page,
}) => {
  await page.goto(START);
  await expect(page.getByTestId('phase')).toHaveText('Finished');
  await page.getByRole('button', { name: 'Your own models' }).click();
  const setup = page.getByRole('form', { name: 'Setup' });
  const field = page.getByRole('textbox', { name: /^Old model/ });
  await field.fill(`${hub.origin}/someone/${model.name}`);
  await page.getByRole('button', { name: 'Look', exact: true }).first().click();

  const card = setup.getByTestId('model-card').first();
  await expect(card).toContainText(`someone/${model.name}`);
  await expect(card).toContainText('Licence: mit.');
  await expect(card.getByRole('button', { name: /^Load .*B from 127\.0\.0\.1/ })).toBeVisible();
  expect(ofFiles()).toEqual([]);

  hub.faults.set(ONNX, { cutAfter: 100_000, times: 1 });
  await card.getByRole('button', { name: /^Load/ }).click();
  await expect(card.getByTestId('model-found')).toContainText('Its own noise');
  expect(ofFiles().some((line) => /model\.onnx bytes=\d+-$/.test(line))).toBe(true);
  if (model.files.has('onnx/model_gqa.onnx')) {
    const offered = card.getByRole('option', { name: /^fp32, onnx\/model_gqa\.onnx/ });
    await expect(offered).toBeAttached();
  }
  const second = setup.getByTestId('model-card').nth(1);
  await second.getByRole('combobox').selectOption(other);
  if (other !== 'fp32') {
    await second.getByRole('button', { name: /^Load/ }).click();
    await expect(second.getByTestId('model-found')).toContainText('Its own noise');
  }
  await page.getByRole('textbox', { name: 'Longest response' }).fill('24');
  await page.getByRole('textbox', { name: 'Prompts', exact: true }).fill('16');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByTestId('phase')).toHaveText(/Finished|Decided/);
  await expect(page.getByTestId('noise-floor')).toContainText('nats in a token’s log-prob');
  await expect(page.getByTestId('which-pair')).toContainText(`fp32 drew and ${other} scores`);

  const { hash } = new URL(page.url());
  await hub.close();
  await page.goto('about:blank');
  await page.goto(`./${hash}`);
  await expect(page.getByTestId('offer')).toContainText('Nothing of them is fetched');
  await page.getByTestId('offer').getByRole('button', { name: 'Run it' }).click();
  await expect(page.getByTestId('phase')).toHaveText(/Finished|Decided/);
});

test('a link that names a model asks for it and fetches nothing', async ({ page }) => {
  const ref = `server:${hub.origin}/someone/${model.name}`;
  const names = new URLSearchParams({ source: 'models', old: ref, new: ref, newDtype: 'fp32' });
  await page.goto(`./#/numerics?v=3&backend=wasm&${names}`);
  await page.getByTestId('offer').getByRole('button', { name: 'Run it' }).click();
  const wanted = page.getByTestId('wanted-models');
  await expect(wanted).toContainText('not here');
  expect(hub.requests).toEqual([]);
  await wanted
    .getByRole('button', { name: /^Look at what/ })
    .first()
    .click();
  await expect(wanted.getByRole('button', { name: /^Load/ }).first()).toBeVisible();
  expect(ofFiles()).toEqual([]);
});

test('what is no model is refused with a sentence, and what was in view stays', async ({
  page,
}) => {
  hub.repositories.set('a/b', new Map([['config.json', new TextEncoder().encode('{}')]]));
  await page.goto(START);
  await expect(page.getByTestId('phase')).toHaveText('Finished');
  await page.getByRole('button', { name: 'Your own models' }).click();
  await page.getByRole('textbox', { name: /^Old model/ }).fill(`${hub.origin}/a/b`);
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('look-refused')).toContainText('has no tokenizer.json');
  await expect(page.getByTestId('phase')).toHaveText('Finished');
});

test('a folder that is picked is run beside a checkpoint in it, on prompts out of a file', async ({
  page,
}, testInfo) => {
  const folder = testInfo.outputPath('mine');
  for (const [path, bytes] of model.files) {
    if (path.endsWith('.onnx') && path !== ONNX) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const { weights } = liftWeights(decode(model.files.get(ONNX) ?? new Uint8Array()));
  const moved = new Map(
    [...weights].map(([name, { shape, values }]) => [
      name,
      { shape, values: values.map((value, i) => value * (1 + 0.02 * Math.sin(i))) },
    ]),
  );
  await mkdir(join(folder, 'checkpoint-7'));
  await writeFile(join(folder, 'checkpoint-7', 'model.safetensors'), writeSafetensors(moved));

  await page.goto(START);
  await expect(page.getByTestId('phase')).toHaveText('Finished');
  await page.getByRole('button', { name: 'Your own models' }).click();
  const setup = page.getByRole('form', { name: 'Setup' });
  await setup.getByLabel('Or choose a folder…').first().setInputFiles(folder);
  const cards = setup.getByTestId('model-card');
  await expect(cards.first()).toContainText('a folder of yours');
  await cards.nth(1).getByLabel('Values').selectOption('checkpoint-7/model.safetensors');
  await expect(cards.nth(1)).toContainText('replaced by those of checkpoint-7/model.safetensors');
  await cards.nth(1).getByLabel('Weights').selectOption('fp32');

  const prompts = model.foreign ? ['Once', 'One day, Tom', 'The dog'] : ['1+1=', '8*3+2=', '7-2='];
  const lines = Array.from({ length: 4 }, (_, i) =>
    prompts.map((text) => JSON.stringify({ id: i, question: text })),
  ).flat();
  await setup.getByLabel('Or choose or drop a file of prompts…').setInputFiles({
    name: 'mine.jsonl',
    mimeType: 'application/jsonl',
    buffer: Buffer.from(lines.join('\n')),
  });
  await expect(setup.getByTestId('prompt-file')).toContainText('mine.jsonl: 12 prompts.');
  await page.getByRole('textbox', { name: 'Longest response' }).fill('16');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByTestId('phase')).toHaveText(/Finished|Decided/);
  await expect(cards.nth(1).getByTestId('model-found')).toContainText('Its own noise');
  await expect(page.getByTestId('noise-floor')).toBeVisible();
  expect(hub.requests).toEqual([]);
});

test(
  'on a GPU: what WebAssembly says of the model is what the GPU says, and the run is made there',
  { tag: ['@webgpu', '@elsewhere'] },
  async ({ page }) => {
    const ref = `server:${hub.origin}/someone/${model.name}/resolve/${hub.commit}`;
    const texts = model.foreign ? 'Once' : '1+1=';
    const names = new URLSearchParams({
      ...{ source: 'models', old: ref, new: ref, newDtype: other, texts },
      ...{ groupSize: '4', maxLength: '8', budget: '0' },
    });
    await page.goto(`./#/mismatch?v=3&backend=webgpu&${names}`);
    await page.getByTestId('offer').getByRole('button', { name: 'Run it' }).click();
    const wanted = page.getByTestId('wanted-models');
    await wanted
      .getByRole('button', { name: /^Look at what/ })
      .first()
      .click();
    for (let left = other === 'fp32' ? 1 : 2; left > 0; left--) {
      const cards = wanted.getByTestId('model-card');
      await expect(cards).toHaveCount(other === 'fp32' ? 2 : left);
      await cards
        .first()
        .getByRole('button', { name: /^(Load|Here)/ })
        .click();
    }
    await wanted.getByRole('button', { name: 'Run it' }).click();
    await expect(page.getByTestId('phase')).toHaveText(/Finished|Decided/);
    await expect(page.getByTestId('noise-floor')).toContainText('nats in a token’s log-prob');
    await page.getByRole('button', { name: 'Your own models' }).click();
    const found = page.getByRole('form', { name: 'Setup' }).getByTestId('model-found');
    await expect(found.first()).toContainText('Ready on WebGPU');
  },
);
