/**
 * `npm run models:card -- NAME`: turns trained checkpoints into a policy folder. Writes the ONNX file
 * (holding the default pi_old), the configuration files, `lab.json`, and the model card with what is
 * measured here and now: accuracy of every checkpoint and the distance of every neighbouring pair. The
 * curves of its races are drawn beside the numbers that they were recorded in.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
import type { Weights } from '../../src/policy/graph/lift';
import { referenceLogProbs, type TokenRoute } from '../../src/policy/reference';
import { readSafetensors, writeSafetensors } from '../../src/policy/safetensors';
import { addDifference, differenceOf } from '../../src/policy/weights';
import { localFiles, NODE_ASSETS, ROOT } from '../../scripts/node/ort';
import { parameterCount } from './architecture';
import {
  cardSeries,
  CURVES_FILE,
  modelCard,
  type MeasuredCheckpoint,
  type MeasuredPair,
  type StoredSmaller,
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
/** Whose tokens tell how much each expert is used: in float64, which takes its time. */
const EXPERT_PROMPTS = 64;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

type TrainedCheckpoint = Pick<
  CheckpointInfo,
  'id' | 'file' | 'series' | 'step' | 'loss' | 'differenceTo'
> & {
  bytes: Uint8Array<ArrayBuffer>;
  /** of the file */
  metadata: Map<string, string>;
};

/** In a file of differences: what they are added to, and what storing them so does to log-probs, nats. */
const DIFFERENCE = { to: 'difference_to', rms: 'log_prob_rms', most: 'log_prob_max' } as const;

const seriesOf = (id: string): CheckpointInfo['series'] =>
  CHECKPOINT_SERIES.find((series) => id.startsWith(`${series}-`)) ?? 'supervised';

async function readCheckpoints(folder: URL): Promise<TrainedCheckpoint[]> {
  const names = (await readdir(new URL('checkpoints/', folder))).filter((name) =>
    name.endsWith('.safetensors'),
  );
  const read = names.sort().map(async (name) => {
    const bytes = new Uint8Array(await readFile(new URL(`checkpoints/${name}`, folder)));
    const { metadata } = readSafetensors(bytes, name);
    const differenceTo = metadata.get(DIFFERENCE.to);
    const id = name.replace('.safetensors', '');
    const loss = metadata.get('loss');
    return {
      id,
      file: `checkpoints/${name}`,
      series: seriesOf(id),
      step: Number(metadata.get('step')),
      loss: loss === undefined ? null : Number(loss),
      ...(differenceTo === undefined ? {} : { differenceTo }),
      bytes,
      metadata,
    };
  });
  const all = await Promise.all(read);
  return inOrder(all);
}

/** In the order in which they were trained. */
function inOrder<C extends Pick<CheckpointInfo, 'series' | 'step'>>(
  checkpoints: readonly C[],
): C[] {
  const rank = ({ series }: C) => CHECKPOINT_SERIES.indexOf(series);
  return checkpoints.toSorted((a, b) => rank(a) - rank(b) || a.step - b.step);
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
    task: recipe.task,
    parameters: parameterCount(recipe.architecture),
    ...(recipe.architecture.experts ? { experts: recipe.architecture.experts.count } : {}),
    onnx: { file: 'onnx/model.onnx', bytes: onnx.byteLength, sha256: sha256(onnx) },
    config: pinned('config.json', recipe),
    tokenizer: pinned('tokenizer.json', recipe),
    checkpoints: checkpoints.map(({ id, file, series, step, loss, differenceTo, bytes }) => ({
      id,
      file,
      ...(differenceTo === undefined ? {} : { differenceTo }),
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

function graphOf(recipe: Recipe, { bytes }: TrainedCheckpoint): Uint8Array<ArrayBuffer> {
  const { weights } = readSafetensors(bytes);
  const values = new Map([...weights].map(([key, one]) => [key, one.values]));
  return Uint8Array.from(writeOnnx(recipe.architecture, values));
}

/** The graph of an earlier card, where the old policy's weights are nowhere else. */
async function graphBefore(graph: URL, { defaultPair, stored }: Recipe) {
  if (stored?.oldInGraph && existsSync(graph)) return new Uint8Array(await readFile(graph));
  throw new Error(`checkpoint ${defaultPair.old} is missing; train first`);
}

/** The old policy's own file goes: the graph holds its weights. */
async function withOldInGraph(
  folder: URL,
  { defaultPair }: Recipe,
  checkpoints: readonly TrainedCheckpoint[],
  onnx: Uint8Array<ArrayBuffer>,
): Promise<TrainedCheckpoint[]> {
  const inGraph = { file: 'onnx/model.onnx', bytes: onnx };
  if (checkpoints.some(({ id }) => id === defaultPair.old)) {
    return Promise.all(
      checkpoints.map(async (one) => {
        if (one.id !== defaultPair.old) return one;
        await rm(new URL(one.file, folder));
        return { ...one, ...inGraph };
      }),
    );
  }
  const text = await readFile(new URL('lab.json', folder), 'utf8');
  const before = v.parse(policyManifestSchema, JSON.parse(text)).checkpoints;
  const info = before.find(({ id }) => id === defaultPair.old);
  if (!info) throw new Error(`lab.json has no checkpoint ${defaultPair.old}`);
  const { id, series, step, loss } = info;
  const old = { id, series, step, loss, metadata: new Map<string, string>(), ...inGraph };
  return inOrder([...checkpoints, old]);
}

/** Writes as differences what the recipe names and is still whole, and into each file what that does to log-probs. */
async function storeSmaller(
  folder: URL,
  recipe: Recipe,
  trained: readonly TrainedCheckpoint[],
  open: (kept: readonly TrainedCheckpoint[]) => Promise<PolicyHost>,
): Promise<TrainedCheckpoint[]> {
  const toOf = new Map(
    Object.entries(recipe.stored?.differences ?? {}).flatMap(([to, ids]) =>
      ids.map((id) => [id, to] as const),
    ),
  );
  const due = trained.filter(({ id, differenceTo }) => toOf.has(id) && differenceTo === undefined);
  if (due.length === 0) return [...trained];
  const host = await open(trained);
  const stored = new Map<string, TrainedCheckpoint>();
  for (const one of due) {
    const to = toOf.get(one.id) as string;
    const [base, whole] = [await host.checkpoint(to), await host.checkpoint(one.id)];
    const difference = differenceOf(base, whole);
    const round = (metadata: Record<string, string>) =>
      writeSafetensors(difference, metadata, 'F16');
    const back = addDifference(base, readSafetensors(round({})).weights);
    const off = await logProbChange(host, whole, back, recipe);
    const metadata = {
      ...Object.fromEntries(one.metadata),
      [DIFFERENCE.to]: to,
      [DIFFERENCE.rms]: off.rms.toPrecision(3),
      [DIFFERENCE.most]: off.most.toPrecision(3),
    };
    const bytes = round(metadata);
    await writeFile(new URL(one.file, folder), bytes);
    console.log(`${one.id}: a difference to ${to}, ${off.rms.toPrecision(3)} nats rms`);
    stored.set(one.id, {
      ...one,
      differenceTo: to,
      bytes,
      metadata: new Map(Object.entries(metadata)),
    });
  }
  await host.dispose();
  return trained.map((one) => stored.get(one.id) ?? one);
}

/** Of the tokens of held-out responses, in nats. */
async function logProbChange(
  host: PolicyHost,
  whole: Weights,
  stored: Weights,
  { prompts }: Recipe,
): Promise<{ rms: number; most: number }> {
  const [a, b] = [host.session.upload(whole), host.session.upload(stored)];
  const samples = await sampleHeldOut(host, a, PAIR_PROMPTS, EVALUATION_SEED, prompts);
  const [want, got] = [await logProbs(host, a, samples), await logProbs(host, b, samples)];
  a.dispose();
  b.dispose();
  const off = Float64Array.from(want, (x, i) => got[i] - x);
  const rms = Math.sqrt(off.reduce((sum, d) => sum + d * d, 0) / off.length);
  return { rms, most: off.reduce((most, d) => Math.max(most, Math.abs(d)), 0) };
}

/** What the files of differences say of themselves. */
const smallerIn = (checkpoints: readonly TrainedCheckpoint[]): StoredSmaller[] =>
  checkpoints.flatMap(({ id, differenceTo, metadata }) =>
    differenceTo === undefined
      ? []
      : [
          {
            id,
            to: differenceTo,
            rms: Number(metadata.get(DIFFERENCE.rms)),
            most: Number(metadata.get(DIFFERENCE.most)),
          },
        ],
  );

/** Share of (token, place among the chosen) that each expert of each layer gets, on held-out responses. */
async function expertUse(host: PolicyHost, { architecture, prompts, defaultPair }: Recipe) {
  const { experts } = architecture;
  if (!experts) return null;
  const weights = await host.checkpoint(defaultPair.old);
  const resident = host.session.upload(weights);
  const samples = await sampleHeldOut(host, resident, EXPERT_PROMPTS, EVALUATION_SEED, prompts);
  resident.dispose();
  const exact = new Map(
    [...weights].map(([name, { values }]) => [name, Float64Array.from(values)] as const),
  );
  const counts = Array.from({ length: architecture.layers }, () => new Float64Array(experts.count));
  samples.responses.forEach(({ tokens }, i) => {
    const own: TokenRoute[][] = [];
    referenceLogProbs(architecture, exact, samples.prompts[i], tokens, { own });
    own.forEach((routes, layer) => {
      for (const { expert } of routes.flat()) counts[layer][expert]++;
    });
  });
  return counts.map((layer) => {
    const total = layer.reduce((sum, n) => sum + n, 0);
    return Array.from(layer, (n) => n / total);
  });
}

async function main(): Promise<void> {
  const name = process.argv[2] ?? '';
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (!recipe) throw new Error(`no recipe "${name}". Known: ${Object.keys(RECIPES).join(', ')}`);
  const folder = new URL(`models/${name}/`, ROOT);
  const trained = await readCheckpoints(folder);
  const graph = new URL('onnx/model.onnx', folder);
  const old = trained.find(({ id }) => id === recipe.defaultPair.old);
  const onnx = old ? graphOf(recipe, old) : await graphBefore(graph, recipe);
  await writeFile(graph, onnx);
  for (const [file, value] of Object.entries(configFiles(recipe))) {
    await writeJson(new URL(file, folder), value);
  }

  const runtime = await loadRuntime('wasm', { assets: NODE_ASSETS });
  const held = recipe.stored?.oldInGraph
    ? await withOldInGraph(folder, recipe, trained, onnx)
    : trained;
  const checkpoints = await storeSmaller(folder, recipe, held, async (kept) =>
    PolicyHost.open(runtime, localFiles, draftManifest(name, recipe, onnx, kept)),
  );
  const draft = draftManifest(name, recipe, onnx, checkpoints);
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
    modelCard(recipe, manifest, {
      measured,
      pairs,
      curves,
      smaller: smallerIn(checkpoints),
      experts: await expertUse(host, recipe),
    }),
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
