/**
 * One model in one arithmetic: what it is, where from, how large, under which licence, and the press that fetches it.
 * Contract: shown before anything of it is fetched; how far, paused, refused and ready stand in one place.
 */
import type { ListedModel } from '../../src/policy/foreign/repository';
import type { Form, ModelReport } from '../../src/policy/foreign/report';
import { graphIn, partsOf, refWith, type Dtype, type ModelRef } from '../../src/model-ref';
import { bytes, count, counted, significant } from '../format/numbers';
import { isHere, modelKey, type ModelJob } from '../state/lab';
import { useLab, useLabState } from '../state/react';
import { placeOf } from './place';

export interface ModelCardProps {
  ref_: ModelRef;
  dtype: Dtype;
  /** another graph of the same model; null: not to be changed here */
  onGraph: ((dtype: Dtype, ref: ModelRef) => void) | null;
  /** the same model with the weights of another of its checkpoints, or its own; null: not to be changed here */
  onRef: ((ref: ModelRef) => void) | null;
}

export function ModelCard({ ref_, dtype, onGraph, onRef }: ModelCardProps) {
  const parts = partsOf(ref_);
  const { repository, graph: file, checkpoint } = parts;
  const listed = useLabState(({ models }) => models.listed[repository]);
  const kept = useLabState(({ models }) =>
    models.kept?.models.find(({ ref }) => ref === repository),
  );
  const here = useLabState(({ models }) => isHere(models, ref_, dtype));
  const { name, host, revision } = placeOf(ref_);
  const there = listed
    ? listed.repository.graphs.map((one) => {
        const first = graphIn(listed.repository.graphs, repository, one.dtype) === one;
        const name = first ? one.dtype : `${one.dtype}, ${one.file}`;
        return {
          dtype: one.dtype,
          graph: first ? null : one.file,
          label: `${name}, ${sizeWords(one.bytes)}`,
        };
      })
    : (kept?.dtypes ?? []).map((one) => ({ dtype: one, graph: null, label: `${one}, kept here` }));
  const isChosen = (one: (typeof there)[number]) =>
    one.graph === file && (file !== null || one.dtype === dtype);
  if (listed === undefined && kept === undefined) return null;
  const checkpoints = (listed?.repository.files ?? [])
    .filter(({ path }) => path.endsWith('.safetensors'))
    .map(({ path, bytes: size }) => ({ path, label: `${path}, ${sizeWords(size)}` }));
  for (const path of [...(kept?.checkpoints ?? []), ...(checkpoint === null ? [] : [checkpoint])]) {
    if (!checkpoints.some((one) => one.path === path)) checkpoints.push({ path, label: path });
  }
  return (
    <div className="model-card" data-testid="model-card">
      <p className="model-name">
        <b>{name}</b> <span className="muted">{host}</span>
        {revision !== null && (
          <>
            {' '}
            <code title={revision}>{revision.slice(0, 8)}</code>
          </>
        )}
      </p>
      {listed && <Terms listed={listed} />}
      {onGraph !== null && (
        <label className="model-dtype">
          Weights{' '}
          <select
            value={file ?? dtype}
            onChange={({ currentTarget: { value } }) => {
              const found = there.find((one) => (one.graph ?? one.dtype) === value);
              if (found !== undefined)
                onGraph(found.dtype, refWith({ ...parts, graph: found.graph }));
            }}
          >
            {!there.some(isChosen) && (
              <option value={file ?? dtype}>
                {file ?? dtype}, {listed ? 'not there' : 'not looked at'}
              </option>
            )}
            {there.map((one) => (
              <option key={one.label} value={one.graph ?? one.dtype}>
                {one.label}
              </option>
            ))}
          </select>
        </label>
      )}
      {onRef !== null && checkpoints.length > 0 && (
        <label className="model-dtype">
          Values{' '}
          <select
            value={checkpoint ?? ''}
            onChange={({ currentTarget: { value } }) =>
              onRef(refWith({ ...parts, checkpoint: value === '' ? null : value }))
            }
          >
            <option value="">the graph’s own</option>
            {checkpoints.map(({ path, label }) => (
              <option key={path} value={path}>
                {label}
              </option>
            ))}
          </select>
        </label>
      )}
      {checkpoint !== null && (
        <p className="field-hint">
          The graph’s weights are replaced by those of <code>{checkpoint}</code>.
        </p>
      )}
      <State ref_={ref_} dtype={dtype} listed={listed} here={here} host={host} />
      {listed?.notes.map((note) => (
        <p key={note} className="notice">
          {note}
        </p>
      ))}
      {listed && <Hashes listed={listed} dtype={dtype} ref_={ref_} />}
    </div>
  );
}

const sizeWords = (size: number) => (size === 0 ? 'size not said' : bytes(size));

function Terms({ listed: { repository } }: { listed: ListedModel }) {
  const { licence, card, ref } = repository;
  if (ref.startsWith('folder:')) return null;
  return (
    <p className="model-terms">
      {licence === null ? 'It does not say under which licence.' : `Licence: ${licence}.`}{' '}
      {card !== null && (
        <a href={card} target="_blank" rel="noopener noreferrer">
          Model card
        </a>
      )}
    </p>
  );
}

interface StateProps {
  ref_: ModelRef;
  dtype: Dtype;
  listed: ListedModel | undefined;
  here: boolean;
  host: string;
}

function State({ ref_, dtype, listed, here, host }: StateProps) {
  const lab = useLab();
  const key = modelKey(ref_, dtype);
  const job = useLabState(({ models }) => models.jobs[key]);
  const report = useLabState(({ models }) => models.reports[key]);
  const left = leftOf(listed, dtype, ref_);
  const get = (accept = false) => void lab.models.get(ref_, dtype, accept);
  if (job?.status === 'working') {
    return <Working job={job} onPause={() => lab.models.pause(ref_, dtype)} />;
  }
  if (job?.status === 'refused') {
    return (
      <div role="alert" className="notice notice-bad" data-testid="model-refused">
        <p>{job.message}</p>
        <button type="button" className="button" onClick={() => get(job.changed)}>
          {job.changed ? 'Use the other file' : 'Try again'}
        </button>
      </div>
    );
  }
  if (report !== undefined) return <Found report={report} />;
  const folder = ref_.startsWith('folder:');
  if (!here && listed && graphIn(listed.repository.graphs, ref_, dtype) === undefined) {
    return <p className="field-issue">It has no {dtype} weights.</p>;
  }
  const words = here
    ? folder
      ? 'Check it by running'
      : 'Here; check it by running'
    : job?.status === 'paused'
      ? `Go on, ${left}`
      : `Load ${left} from ${host}`;
  return (
    <div className="model-press">
      <button type="button" className="button button-main" onClick={() => get()}>
        {words}
      </button>
      {!here && (
        <span className="field-hint">
          {job?.status === 'paused'
            ? 'Paused; what has come is kept.'
            : 'Nothing of it is fetched yet.'}
        </span>
      )}
    </div>
  );
}

function Working({
  job,
  onPause,
}: {
  job: Extract<ModelJob, { status: 'working' }>;
  onPause: () => void;
}) {
  const { loaded, step } = job;
  const total = loaded?.total ?? null;
  const known = loaded !== null && total !== null && total > 0;
  return (
    <div className="model-working" role="status" data-testid="model-working">
      <p>
        {step === 'get' ? 'Fetching' : 'Loading and checking'}
        {loaded !== null && `: ${loaded.what}`}
        {known && `, ${bytes(loaded.bytes)} of ${bytes(total)}`}
      </p>
      <progress
        aria-label="Progress of the model"
        max={1}
        {...(known ? { value: loaded.bytes / total } : {})}
      />
      <button type="button" className="button" onClick={onPause}>
        {step === 'get' ? 'Pause' : 'Cancel'}
      </button>
    </div>
  );
}

const FORM_WORDS: Record<Form, string> = {
  alone: 'one row alone',
  'same length': 'rows of one length together',
  right: 'rows padded on the right',
  left: 'rows padded on the left',
  cached: 'token by token behind a cache',
  loop: 'decoding in a loop',
};

/** What was found when it ran. */
function Found({ report }: { report: ModelReport }) {
  const {
    probe,
    provider,
    refusedGpu,
    noGradient,
    unpacked,
    memory,
    vocabulary,
    tokens,
    positions,
    maxPositions,
    types,
  } = report;
  const unused = probe.forms.filter(({ used }) => !used);
  return (
    <div className="model-found" data-testid="model-found">
      <p>
        <b>Ready</b> on {provider === 'webgpu' ? 'WebGPU' : 'WebAssembly'}:{' '}
        {counted(vocabulary, 'logit')} for {counted(tokens, 'token')},{' '}
        {positions < maxPositions && `${count(positions)} of `}
        {counted(maxPositions, 'position')}, {types.join(' and ')}; about {bytes(memory)} at its
        busiest.
      </p>
      <p>
        Its own noise: up to {significant(probe.floor.logp, 2)} nats in a token’s log-prob,{' '}
        {significant(probe.floor.logS, 2)} in log s.
      </p>
      <p className="field-hint" data-testid="model-gradient">
        {noGradient ?? 'A gradient can be taken through this graph.'}
      </p>
      {unpacked && (
        <p className="field-hint">
          Its weights of few bits are unpacked once to float32, the numbers that they are multiplied
          as: on WebAssembly that is faster.
        </p>
      )}
      {refusedGpu !== null && <p className="notice">{refusedGpu}</p>}
      {unused.length > 0 && (
        <p className="field-hint">
          Not used, because it fails or gives other numbers:{' '}
          {unused
            .map(
              ({ form, logp, problem }) =>
                `${FORM_WORDS[form]} (${problem?.slice(0, 160) ?? `${significant(logp, 2)} nats`})`,
            )
            .join(', ')}
          .
        </p>
      )}
    </div>
  );
}

const wantedOf = ({ repository: { files, graphs } }: ListedModel, dtype: Dtype, ref: ModelRef) => {
  const { checkpoint } = partsOf(ref);
  const graph = graphIn(graphs, ref, dtype);
  const weights = /\.(onnx|safetensors)/;
  return files.filter(
    ({ path }) =>
      !weights.test(path) ||
      path === graph?.file ||
      path === checkpoint ||
      graph?.external.includes(path),
  );
};

/** "12.3 MB", of what is not here yet */
function leftOf(listed: ListedModel | undefined, dtype: Dtype, ref: ModelRef): string {
  if (listed === undefined) return '';
  const left = wantedOf(listed, dtype, ref).reduce((sum, { path, bytes: size }) => {
    const here = listed.here[path];
    return sum + (here?.state === 'whole' ? 0 : Math.max(0, size - (here?.bytes ?? 0)));
  }, 0);
  return sizeWords(left);
}

function Hashes({ listed, dtype, ref_ }: { listed: ListedModel; dtype: Dtype; ref_: ModelRef }) {
  const files = wantedOf(listed, dtype, ref_);
  return (
    <details className="model-files">
      <summary>{counted(files.length, 'file')}, with SHA-256</summary>
      <ul>
        {files.map(({ path, bytes: size, sha256 }) => (
          <li key={path}>
            <code>{path}</code> {sizeWords(size)}
            <code className="hash">
              {listed.here[path]?.sha256 ?? sha256 ?? 'SHA-256 is known once it has been read'}
            </code>
          </li>
        ))}
      </ul>
    </details>
  );
}
