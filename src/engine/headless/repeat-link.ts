/**
 * A link, repeated without a page: `npm run experiment`, in Node or in a browser, through the same
 * `EngineClient`. Contract: strings in, plain JSON data out; what the link asks for is read by `openLink`
 * alone, so that the command and the page mean the same by it; rejects with a sentence.
 */
import type { Claim } from '../../experiments/experiment';
import type { Stamp } from '../../export/stamp';
import { experimentSettings } from '../../link/experiments';
import { compareFingerprints, type Comparison, type Figure } from '../../link/fingerprint';
import { openLink, writeLink } from '../../link/link';
import type { ModelReport } from '../../policy/foreign/report';
import type { BackendChoice, RunSettings } from '../../settings/run';
import type { EngineClient } from '../lab/client';
import { finishRun } from './finish';
import type { ExportKind, RunProgress } from '../lab/protocol';
import { factsOf, modelHashes, policyHashes, stampOf } from '../stamp';

export interface RepeatOptions {
  /** version of the app */
  app: string;
  /** what stands before the hash, so that links can be clicked; may be empty */
  address: string;
  /** `#/PAGE?...` */
  hash: string;
  /** null: as the link says */
  backend: BackendChoice | null;
  /** which files of the run are wanted */
  files: readonly ExportKind[];
}

export interface Repetition {
  stamp: Stamp;
  /** address that opens the run again, with what was found */
  link: string;
  page: string;
  /** choices on the page */
  view: Readonly<Record<string, unknown>>;
  /** what of the link was not understood, and what was used instead; sentences */
  problems: string[];
  sequences: number;
  tokens: number;
  seconds: number;
  claims: Claim[];
  /** the experiment's answer; typed arrays as lists, what is not finite as null */
  result: unknown;
  figures: Figure[];
  /** models of other people that took part, and what running them showed; none otherwise */
  models: ModelReport[];
  /** null: the link carries no fingerprint */
  comparison: Comparison | null;
  files: { kind: ExportKind; name: string; text: string }[];
}

function plain(_key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as Uint8Array | Float64Array);
  }
  return value;
}

/** Of models that the run has opened already: asking again costs nothing. */
async function reportsOf(
  client: EngineClient,
  { backend, source }: RunSettings,
): Promise<ModelReport[]> {
  if (source.kind !== 'models') return [];
  const old = await client.openModel({ ref: source.old, dtype: source.oldDtype, backend });
  const theta = await client.openModel({ ref: source.new, dtype: source.newDtype, backend });
  return source.old === source.new && source.oldDtype === source.newDtype ? [old] : [old, theta];
}

/** @throws what stopped it; a sentence */
export async function repeatLink(
  client: EngineClient,
  { app, address, hash, backend: wanted, files }: RepeatOptions,
  onProgress: (progress: RunProgress) => void,
): Promise<Repetition> {
  const { link, problems } = openLink(hash);
  const { page, view } = link;
  const asked = experimentSettings(page, view);
  if (asked === null) throw new Error(`The page "${page}" measures nothing that can be repeated.`);
  const settings = { ...link.run, backend: wanted ?? link.run.backend };
  const { backend, policies } = await client.open(settings.backend);
  const first = link.fingerprint?.sequences;
  let last: RunProgress | null = null;
  const run = await finishRun(
    client,
    settings,
    (progress) => {
      last = progress;
      onProgress(progress);
    },
    undefined,
    first,
  );
  const { sequences, tokens, seconds } = (last as RunProgress | null) ?? {
    sequences: 0,
    tokens: 0,
    seconds: 0,
  };
  const models = await reportsOf(client, settings);
  const result = await client.experiment(run, asked.experiment, asked.settings);
  const experiment = { id: asked.experiment, settings: asked.settings };
  const found = await client.fingerprint(run, experiment, first);
  const bare = `${address}${writeLink({ ...link, fingerprint: null }, { dated: true })}`;
  const written = [];
  for (const kind of files) {
    const { name, blob } = await client.export(run, kind, bare);
    written.push({ kind, name, text: await blob.text() });
  }
  const filled = { ...link, fingerprint: found.fingerprint };
  return {
    stamp: stampOf({
      app,
      link: bare,
      settings,
      files: [],
      policies: models.length > 0 ? modelHashes(models) : policyHashes(settings, policies),
      backend: factsOf(backend),
    }),
    link: `${address}${writeLink(filled, { dated: true })}`,
    page,
    view,
    problems,
    sequences,
    tokens,
    seconds,
    claims: result.claims,
    result: JSON.parse(JSON.stringify(result, plain)) as unknown,
    figures: found.figures,
    models,
    comparison:
      link.fingerprint && compareFingerprints(link.fingerprint, found.fingerprint, found.figures),
    files: written,
  };
}
