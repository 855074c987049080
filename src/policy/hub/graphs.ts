/**
 * Which files of a repository are a model's graphs, by the names that exporters give them: `model.onnx` with a
 * suffix for its arithmetic, in `onnx/` or at the root; of older exports `decoder_model_merged.onnx`; weights
 * beside the graph in `NAME.onnx_data`, `NAME.onnx_data_1`, ... or `NAME.onnx.data`.
 */
import { DTYPES, type Dtype, type ModelGraph, type RepositoryFile } from '../foreign/repository';

/** The first that is there is taken. */
const SUFFIXES: Record<Dtype, readonly string[]> = {
  fp32: ['', '_fp32'],
  fp16: ['_fp16'],
  q8: ['_quantized', '_q8', '_int8', '_uint8'],
  q4: ['_q4', '_bnb4'],
  q4f16: ['_q4f16'],
};
const STEMS = ['model', 'decoder_model_merged'] as const;
const FOLDERS = ['onnx/', ''] as const;

/** Small files that describe a model, of which a repository has all or some. */
export const DESCRIPTIONS = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
] as const;
/** Without these there is nothing to run. */
export const NEEDED: readonly string[] = ['config.json', 'tokenizer.json'];

/** Every name that a graph of this arithmetic may have, the likeliest first. */
export const graphNames = (dtype: Dtype): string[] =>
  FOLDERS.flatMap((folder) =>
    STEMS.flatMap((stem) => SUFFIXES[dtype].map((suffix) => `${folder}${stem}${suffix}.onnx`)),
  );

/** Whether the file holds weights of the graph. */
function isDataOf(graph: string, path: string): boolean {
  return path.startsWith(graph) && /^[._]data(_\d+)?$/.test(path.slice(graph.length));
}

export const firstDataName = (graph: string): string => `${graph}_data`;

/** Graphs of other names, in the folders where graphs are. */
const OTHER = /^(onnx\/)?(model|decoder_model_merged)[^/]*\.onnx$/;

/** In the order of `DTYPES`, the likeliest of each; then the others, by name. */
export function graphsOf(files: readonly RepositoryFile[]): ModelGraph[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const named = DTYPES.flatMap((dtype) => {
    const file = graphNames(dtype).find((name) => byPath.has(name));
    return file === undefined ? [] : [graphOf(dtype, file, files)];
  });
  if (named.length > 0) {
    const taken = new Set(named.map(({ file }) => file));
    const more = files
      .map(({ path }) => path)
      .filter((path) => OTHER.test(path) && !taken.has(path));
    return [...named, ...more.sort().map((path) => graphOf(dtypeByName(path), path, files))];
  }
  // A folder with one graph of another name.
  const others = files.filter(({ path }) => path.endsWith('.onnx'));
  return others.length === 1 ? [graphOf(dtypeByName(others[0].path), others[0].path, files)] : [];
}

function graphOf(dtype: Dtype, file: string, files: readonly RepositoryFile[]): ModelGraph {
  const external = files.filter(({ path }) => isDataOf(file, path));
  const own = files.filter(({ path }) => path === file);
  const bytes = [...own, ...external].reduce((sum, { bytes }) => sum + bytes, 0);
  return { dtype, file, external: external.map(({ path }) => path).sort(), bytes };
}

/** `anything_q4f16.onnx`; fp32 where the name says nothing. */
function dtypeByName(path: string): Dtype {
  const stem = path.replace(/\.onnx$/, '');
  const found = DTYPES.find((dtype) =>
    SUFFIXES[dtype].some((suffix) => suffix !== '' && stem.endsWith(suffix)),
  );
  return found ?? 'fp32';
}

/** Whether the lab has a use for the file. */
export const isOfUse = (path: string): boolean =>
  (DESCRIPTIONS as readonly string[]).includes(path) ||
  /\.onnx([._]data(_\d+)?)?$|\.safetensors$/.test(path);

/** What is read of a model: its descriptions, the graph, the graph's data, and the checkpoint where one is wanted. */
export function filesOf(
  files: readonly RepositoryFile[],
  graph: ModelGraph,
  checkpoint: string | null = null,
): RepositoryFile[] {
  const wanted = new Set<string | null>([
    ...DESCRIPTIONS,
    graph.file,
    ...graph.external,
    checkpoint,
  ]);
  return files.filter(({ path }) => wanted.has(path));
}
