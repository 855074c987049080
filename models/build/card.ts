/**
 * `npm run models:card -- NAME`: turns trained checkpoints into a policy folder. Writes the ONNX file
 * (holding the default pi_old), the configuration files, `lab.json`, and the model card with what is
 * measured here and now: accuracy of every checkpoint and the distance of every neighbouring pair. The
 * curves of its races are drawn beside the numbers that they were recorded in.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { fetchSeries } from '../../src/training/series';
import { PolicyHost } from '../../src/policy/host';
import {
  CHECKPOINT_SERIES,
  policyManifestSchema,
  type CheckpointInfo,
  type PolicyManifest,
} from '../../src/policy/manifest';
import { loadRuntime } from '../../src/policy/runtime';
import { readSafetensors } from '../../src/policy/safetensors';
import { localFiles, NODE_ASSETS, ROOT } from '../../scripts/node/ort';
import { parameterCount } from './architecture';
import {
  cardSeries,
  CURVES_FILE,
  modelCard,
  type MeasuredCheckpoint,
  type MeasuredPair,
} from './card-text';
import { curvesSvg } from './curves';
import { accuracyOf, sampleHeldOut } from '../../src/training/heldout';
import { logProbs, logRatioSpread } from './evaluate';
import { configFiles } from './files';
import { writeOnnx } from './onnx-author';
import { RACES } from './races';
import { RECIPES, type Recipe } from './recipes';

const EVALUATION_PROMPTS = 1000;
const EVALUATION_SEED = 20_251;
/** Responses that pairs are compared on: sampled from the earlier checkpoint. */
const PAIR_PROMPTS = 128;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

type TrainedCheckpoint = Pick<CheckpointInfo, 'id' | 'file' | 'series' | 'step' | 'loss'> & {
  bytes: Uint8Array;
};

const seriesOf = (id: string): CheckpointInfo['series'] =>
  CHECKPOINT_SERIES.find((series) => id.startsWith(`${series}-`)) ?? 'supervised';

async function readCheckpoints(folder: URL): Promise<TrainedCheckpoint[]> {
  const names = (await readdir(new URL('checkpoints/', folder))).filter((name) =>
    name.endsWith('.safetensors'),
  );
  const read = names.sort().map(async (name) => {
    const bytes = await readFile(new URL(`checkpoints/${name}`, folder));
    const { metadata } = readSafetensors(bytes, name);
    const id = name.replace('.safetensors', '');
    const loss = metadata.get('loss');
    return {
      id,
      file: `checkpoints/${name}`,
      series: seriesOf(id),
      step: Number(metadata.get('step')),
      loss: loss === undefined ? null : Number(loss),
      bytes,
    };
  });
  const all = await Promise.all(read);
  // In the order in which they were trained.
  const rank = ({ series }: TrainedCheckpoint) => CHECKPOINT_SERIES.indexOf(series);
  return all.sort((a, b) => rank(a) - rank(b) || a.step - b.step);
}

const jsonText = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

async function writeJson(url: URL, value: unknown): Promise<void> {
  await writeFile(url, jsonText(value));
}

/** As the manifest names one of the policy's small files. */
function pinned<F extends string>(file: F, recipe: Recipe) {
  const bytes = new TextEncoder().encode(jsonText(configFiles(recipe)[file]));
  return { file, bytes: bytes.byteLength, sha256: sha256(bytes) };
}

/** A manifest without measurements, enough for the lab's own loader to open the folder. */
function draftManifest(
  name: string,
  recipe: Recipe,
  onnx: Uint8Array,
  checkpoints: readonly TrainedCheckpoint[],
): PolicyManifest {
  return {
    name,
    title: recipe.title,
    task: 'arithmetic',
    parameters: parameterCount(recipe.architecture),
    onnx: { file: 'onnx/model.onnx', bytes: onnx.byteLength, sha256: sha256(onnx) },
    config: pinned('config.json', recipe),
    tokenizer: pinned('tokenizer.json', recipe),
    checkpoints: checkpoints.map(({ id, file, series, step, loss, bytes }) => ({
      id,
      file,
      series,
      step,
      loss,
      accuracy: 0,
      accuracyInterval: [0, 1],
      accuracyPrompts: null,
      bytes: bytes.byteLength,
      sha256: sha256(bytes),
    })),
    defaultPair: recipe.defaultPair,
    reproducePairs: recipe.reproducePairs,
    races: racesOf(name),
  };
}

/** The races of `races.ts` that start from this policy. */
function racesOf(name: string): NonNullable<PolicyManifest['races']> {
  return Object.values(RACES)
    .filter(({ settings }) => settings.policy === name)
    .flatMap(({ settings, series }) =>
      series.map((one) => ({
        series: seriesOf(`${one}-`),
        file: `training/${one}.json`,
        start: settings.start,
      })),
    );
}

/** Later ones of its own series (of a race: the next and the last), and the ends of the other series. */
function comparedWith(checkpoints: readonly CheckpointInfo[], i: number): CheckpointInfo[] {
  const { series } = checkpoints[i];
  const lastOf = (one: string) => checkpoints.findLast((other) => other.series === one);
  return checkpoints.slice(i + 1).filter((other, k) => {
    if (other.series !== series) return series === 'supervised' && other === lastOf(other.series);
    return series === 'supervised' || k === 0 || other === lastOf(series);
  });
}

async function measure(
  host: PolicyHost,
  recipe: Recipe,
): Promise<{ measured: MeasuredCheckpoint[]; pairs: MeasuredPair[] }> {
  const measured: MeasuredCheckpoint[] = [];
  const pairs: MeasuredPair[] = [];
  const { checkpoints } = host.manifest;
  for (const [i, { id }] of checkpoints.entries()) {
    const weights = host.session.upload(await host.checkpoint(id));
    const samples = await sampleHeldOut(
      host,
      weights,
      EVALUATION_PROMPTS,
      EVALUATION_SEED,
      recipe.prompts,
    );
    const accuracy = accuracyOf(samples);
    measured.push({ id, ...accuracy });
    console.log(`${id}: ${(100 * accuracy.accuracy).toFixed(1)} % of ${accuracy.prompts} correct`);
    const some = {
      prompts: samples.prompts.slice(0, PAIR_PROMPTS),
      responses: samples.responses.slice(0, PAIR_PROMPTS),
    };
    const old = await logProbs(host, weights, some);
    for (const later of comparedWith(checkpoints, i)) {
      const theta = host.session.upload(await host.checkpoint(later.id));
      const [mean, sd] = logRatioSpread(old, await logProbs(host, theta, some));
      pairs.push({ old: id, new: later.id, mean, sd, tokens: old.length });
      console.log(`  ${id} -> ${later.id}: sd of the token log-ratio ${sd.toPrecision(3)}`);
    }
  }
  return { measured, pairs };
}

async function main(): Promise<void> {
  const name = process.argv[2] ?? '';
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (!recipe) throw new Error(`no recipe "${name}". Known: ${Object.keys(RECIPES).join(', ')}`);
  const folder = new URL(`models/${name}/`, ROOT);
  const checkpoints = await readCheckpoints(folder);
  const old = checkpoints.find(({ id }) => id === recipe.defaultPair.old);
  if (!old) throw new Error(`checkpoint ${recipe.defaultPair.old} is missing; train first`);

  const weights = readSafetensors(old.bytes).weights;
  const onnx = writeOnnx(
    recipe.architecture,
    new Map([...weights].map(([key, { values }]) => [key, values])),
  );
  await writeFile(new URL('onnx/model.onnx', folder), onnx);
  for (const [file, value] of Object.entries(configFiles(recipe))) {
    await writeJson(new URL(file, folder), value);
  }

  const draft = draftManifest(name, recipe, onnx, checkpoints);
  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const host = await PolicyHost.open(runtime, localFiles, draft);
  const { measured, pairs } = await measure(host, recipe);
  const manifest = v.parse(policyManifestSchema, {
    ...draft,
    checkpoints: draft.checkpoints.map((checkpoint, i) => ({
      ...checkpoint,
      accuracy: measured[i]?.accuracy ?? Number.NaN,
      accuracyInterval: measured[i]?.interval ?? [Number.NaN, Number.NaN],
      accuracyPrompts: measured[i]?.prompts ?? null,
    })),
  });
  await writeJson(new URL('lab.json', folder), manifest);
  const curves = await Promise.all(
    (manifest.races ?? []).map(({ file }) => fetchSeries(localFiles, name, file)),
  );
  if (curves.length > 0) {
    const figure = curvesSvg(cardSeries(manifest, curves), EVALUATION_PROMPTS);
    await writeFile(new URL(CURVES_FILE, folder), figure);
  }
  await writeFile(
    new URL('README.md', folder),
    modelCard(recipe, manifest, measured, pairs, curves),
  );
  const index = new URL('models/index.json', ROOT);
  const known: unknown = existsSync(index) ? JSON.parse(await readFile(index, 'utf8')) : [];
  const names = v.parse(v.array(v.string()), known);
  await writeJson(index, [...new Set([...names, name])].sort());
  console.log(`models/${name} is complete.`);
  process.exit(0);
}

main().catch((error: unknown) => {
  console.error(`models:card failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
