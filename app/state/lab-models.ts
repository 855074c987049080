/**
 * Models of other people's, as the page knows them: what a place holds, what is here, what is on its way. Contract:
 * a look is a few small requests and a person's wish; files come only by `get`, which a button calls; what has come
 * stays, whatever fails.
 */
import type { KeptModels, ListedModel } from '../../src/policy/foreign/repository';
import type { ModelReport } from '../../src/policy/foreign/report';
import { DTYPES, graphIn, partsOf, refWith, type Dtype, type ModelRef } from '../../src/model-ref';
import type { Fingerprint } from '../../src/link/fingerprint';
import type { RunSettings } from '../../src/settings/run';
import type { Draft } from './draft';

/** Which of the pair. */
export type ModelSlot = 'old' | 'new';

export const DTYPE_OF = { old: 'oldDtype', new: 'newDtype' } as const;

export type Looking =
  | { status: 'idle' }
  | { status: 'looking'; text: string }
  | { status: 'refused'; text: string; message: string };

/** What is done to one graph of a model. */
export type ModelJob =
  /** step: "get" fetches, "open" loads it into the runtime and checks it */
  | { status: 'working'; step: 'get' | 'open'; loaded: Loaded | null }
  | { status: 'paused' }
  /** changed: another file than expected, which a person may accept */
  | { status: 'refused'; message: string; changed: boolean };

export interface Loaded {
  bytes: number;
  total: number | null;
  what: string;
}

export interface Models {
  /** null: not asked yet */
  kept: KeptModels | null;
  listed: Readonly<Record<ModelRef, ListedModel>>;
  looking: Readonly<Record<ModelSlot, Looking>>;
  /** by `modelKey` */
  jobs: Readonly<Record<string, ModelJob>>;
  /** what was found when it ran, by `modelKey` */
  reports: Readonly<Record<string, ModelReport>>;
}

export const NO_MODELS: Models = {
  kept: null,
  listed: {},
  looking: { old: { status: 'idle' }, new: { status: 'idle' } },
  jobs: {},
  reports: {},
};

/** A draft holds texts. */
export const dtypeOf = (text: string): Dtype => DTYPES.find((one) => one === text) ?? 'fp32';

export const modelKey = (ref: ModelRef, dtype: string): string => `${dtype} ${ref}`;

/** Whether all that a run needs of it is here. */
export function isHere({ kept, listed }: Models, named: ModelRef, dtype: string): boolean {
  const { repository: ref, graph: file, checkpoint } = partsOf(named);
  const shelved = kept?.models.find((model) => model.ref === ref);
  const whole = checkpoint === null || shelved?.checkpoints.includes(checkpoint) === true;
  const run =
    file === null ? shelved?.dtypes.some((one) => one === dtype) : shelved?.graphs.includes(file);
  if (whole && run === true) return true;
  const known = listed[ref];
  const graph = graphIn(known?.repository.graphs ?? [], named, dtype);
  if (known === undefined || graph === undefined) return false;
  const also = checkpoint === null ? [] : [checkpoint];
  return [graph.file, ...graph.external, ...also, 'config.json', 'tokenizer.json'].every(
    (path) => known.here[path]?.state === 'whole',
  );
}

/** The models that the draft names and that are not here. */
export function missingModels({ kind, models: texts }: Draft, models: Models): ModelSlot[] {
  if (kind !== 'models') return [];
  return (['old', 'new'] as const).filter(
    (slot) => !isHere(models, texts[slot], texts[DTYPE_OF[slot]]),
  );
}

const hex = (word: number) => word.toString(16).padStart(8, '0');

/**
 * How the SHA-256 of a model's files begin in the link that was opened, by path; none where it does not say.
 * @param graph path of the graph that has this arithmetic
 */
export function linkedHashes(
  linked: { settings: RunSettings; files: Fingerprint['policies'] } | null,
  ref: ModelRef,
  dtype: Dtype,
  graph: string,
): Record<string, string> {
  const source = linked?.settings.source;
  const files = linked?.files ?? null;
  if (source?.kind !== 'models' || files === null) return {};
  const { checkpoint } = partsOf(ref);
  const words: [string | null, number | null][] = [];
  if (source.new === ref && source.newDtype === dtype) words.push([checkpoint ?? graph, files.new]);
  if (source.old === ref && source.oldDtype === dtype) {
    words.push([graph, files.onnx], [checkpoint ?? graph, files.old]);
    words.push(['config.json', files.config], ['tokenizer.json', files.tokenizer]);
  }
  return Object.fromEntries(
    words.flatMap(([path, word]) => (path === null || word === null ? [] : [[path, hex(word)]])),
  );
}

/** Fewest bits last: what a new model is beside an old one of the same files. */
const leastOf = ({ repository: { graphs } }: ListedModel): Dtype =>
  graphs.find(({ dtype }) => dtype === 'q4')?.dtype ??
  DTYPES.findLast((one) => graphs.some(({ dtype }) => dtype === one)) ??
  'fp32';

/**
 * The draft with a model in one place of the pair, in an arithmetic that it has. Where both places had the same model,
 * both have this one, so that one look is enough for a model beside itself.
 */
export function chosen(draft: Draft, slot: ModelSlot, listed: ListedModel): Draft {
  const { ref } = listed.repository;
  const { models } = draft;
  const at = (place: ModelSlot) => ({
    [place]: refWith({ repository: ref, ...sameFiles(models[place], listed) }),
    [DTYPE_OF[place]]: fitting(models[DTYPE_OF[place]], place, listed),
  });
  const both = partsOf(models.old).repository === partsOf(models.new).repository;
  const pair = both ? { ...at('old'), ...at('new') } : at(slot);
  return { ...draft, kind: 'models', models: { ...models, ...pair } };
}

/** The files that a name has, where the model has them. */
function sameFiles(named: string, { repository: { files } }: ListedModel) {
  const there = (wanted: string | null) =>
    files.some(({ path }) => path === wanted) ? wanted : null;
  const { graph, checkpoint } = partsOf(named);
  return { graph: there(graph), checkpoint: there(checkpoint) };
}

/** The same arithmetic where the model has it. */
function fitting(dtype: string, slot: ModelSlot, listed: ListedModel): string {
  const { graphs } = listed.repository;
  if (graphs.some((graph) => graph.dtype === dtype)) return dtype;
  return slot === 'old' ? (graphs[0]?.dtype ?? 'fp32') : leastOf(listed);
}
