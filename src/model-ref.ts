/** Names of foreign models, for settings, links and whoever fetches them. Contract: a name fetches nothing. */
import * as v from 'valibot';

/** Kinds of weights that exporters write, by the names that Transformers.js gives them. */
export const DTYPES = ['fp32', 'fp16', 'q8', 'q4', 'q4f16'] as const;
export type Dtype = (typeof DTYPES)[number];

const noClimbing = (text: string) => !text.split(/[/\\]/).includes('..');

const MOST_REFERENCE = 300;

/** One path below a repository: no absolute ones, none that climb, nothing that a file system treats specially. */
export const repositoryPathSchema = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(400),
  v.regex(
    /^[^/\\:*?"<>|\u0000-\u001f][^\\:*?"<>|\u0000-\u001f]*$/,
    'A path with characters that no file name has.',
  ),
  v.check(noClimbing, 'A path that leaves its folder.'),
);

const PART = '[A-Za-z0-9][A-Za-z0-9._-]{0,95}';
const HUB = new RegExp(`^hub:${PART}/${PART}(@[A-Za-z0-9][A-Za-z0-9._/-]{0,99})?$`);
const FOLDER = /^folder:[^/\\:*?"<>|\u0000-\u001f]{1,100}$/;
const SERVER = /^server:https?:\/\/[^\s"<>\\^`{|}]{1,250}$/;

/** What a reference names: a repository, and files in it where they are not the usual ones. */
export interface RefParts {
  repository: string;
  /** path of the graph; null: the first that has the arithmetic */
  graph: string | null;
  /** path of the checkpoint whose weights stand in the place of the graph's; null: its own do */
  checkpoint: string | null;
}

const PARTS =
  /^(?<repository>[^#]+)(?:#(?<graph>[^#]+\.onnx))?(?:#(?<checkpoint>[^#]+\.safetensors))?$/;

export function partsOf(ref: string): RefParts {
  const { repository = ref, graph = null, checkpoint = null } = PARTS.exec(ref)?.groups ?? {};
  return { repository, graph, checkpoint };
}

export const refWith = ({ repository, graph, checkpoint }: RefParts): string =>
  [repository, graph, checkpoint].filter((part) => part !== null).join('#');

/** The graph that a reference and an arithmetic name. */
export function graphIn<G extends { dtype: Dtype; file: string }>(
  graphs: readonly G[],
  ref: string,
  dtype: string,
): G | undefined {
  const { graph } = partsOf(ref);
  return graphs.find((one) => one.dtype === dtype && (graph === null || one.file === graph));
}

const isPlace = (text: string) => {
  const { repository, graph, checkpoint } = partsOf(text);
  const paths = [graph, checkpoint].every(
    (path) => path === null || v.is(repositoryPathSchema, path),
  );
  return paths && [HUB, FOLDER, SERVER].some((form) => form.test(repository));
};

/**
 * `hub:owner/name@revision` (a commit once it is resolved), `folder:NAME` or `server:https://host/path`, with
 * `#PATH.onnx` and `#PATH.safetensors` behind it where a certain graph or a checkpoint in it is meant (`partsOf`).
 * A reference is text from a link or a person: nothing is fetched for being named.
 */
export const modelRefSchema = v.pipe(
  v.string(),
  v.maxLength(MOST_REFERENCE, 'A model is named in at most 300 characters.'),
  v.check(
    isPlace,
    'Expected hub:owner/name, folder:NAME or server:https://host/path, with #FILE.safetensors for a checkpoint in it.',
  ),
  v.check(noClimbing, 'A model’s name has no “..” in it.'),
);
export type ModelRef = string;
