/**
 * Puts the policies into the built site: for each name in `models/index.json`, the files that its
 * `lab.json` names, the small files of the Hugging Face layout, and the figure of its card. In development the dev server
 * serves `models/` as it stands.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

const SMALL_FILES = [
  'lab.json',
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'README.md',
];

/** Drawn by `models:card` where the policy has races. */
const CURVES_FILE = 'training/curves.svg';

interface Manifest {
  onnx: { file: string };
  checkpoints: { file: string }[];
  races?: { file: string }[];
}

async function readJson<T>(url: URL): Promise<T> {
  return JSON.parse(await readFile(url, 'utf8')) as T;
}

/** @param folder `models/`, with its closing slash */
export function shipModels(folder: URL): Plugin {
  return {
    name: 'ship-models',
    apply: 'build',
    async generateBundle() {
      const emit = async (path: string) => {
        const source = await readFile(new URL(path, folder));
        this.emitFile({ type: 'asset', fileName: `models/${path}`, source });
      };
      await emit('index.json');
      for (const name of await readJson<string[]>(new URL('index.json', folder))) {
        const manifest = await readJson<Manifest>(new URL(`${name}/lab.json`, folder));
        const listed = [manifest.onnx, ...manifest.checkpoints, ...(manifest.races ?? [])];
        const files = listed.map(({ file }) => file);
        if (manifest.races !== undefined && manifest.races.length > 0) files.push(CURVES_FILE);
        // The graph is a checkpoint too where its own weights are one.
        for (const file of new Set([...SMALL_FILES, ...files])) await emit(`${name}/${file}`);
      }
    },
  };
}
