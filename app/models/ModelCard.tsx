/**
 * One model in one arithmetic: what it is, where from, how large, under which licence, and the press that fetches it.
 * Contract: shown before anything of it is fetched; how far, paused, refused and ready stand in one place.
 */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import type { ListedModel } from '../../src/policy/foreign/repository';
import type { Form, ModelReport } from '../../src/policy/foreign/report';
import { graphIn, partsOf, refWith, type Dtype, type ModelRef } from '../../src/model-ref';
import { bytes, count, significant } from '../format/numbers';
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
    : (kept?.dtypes ?? []).map((one) => ({ dtype: one, graph: null, label: t`${one}, kept here` }));
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
          {t`Weights`}{' '}
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
                {file ?? dtype}, {listed ? t`not there` : t`not looked at`}
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
          {t`Values`}{' '}
          <select
            value={checkpoint ?? ''}
            onChange={({ currentTarget: { value } }) =>
              onRef(refWith({ ...parts, checkpoint: value === '' ? null : value }))
            }
          >
            <option value="">{t`the graph’s own`}</option>
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
          <Trans>
            The graph’s weights are replaced by those of <code>{checkpoint}</code>.
          </Trans>
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

const sizeWords = (size: number) => (size === 0 ? t`size not said` : bytes(size));

function Terms({ listed: { repository } }: { listed: ListedModel }) {
  const { licence, card, ref } = repository;
  if (ref.startsWith('folder:')) return null;
  return (
    <p className="model-terms">
      {licence === null ? t`It does not say under which licence.` : t`Licence: ${licence}.`}{' '}
      {card !== null && (
        <a href={card} target="_blank" rel="noopener noreferrer">
          {t`Model card`}
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
          {job.changed ? t`Use the other file` : t`Try again`}
        </button>
      </div>
    );
  }
  if (report !== undefined) return <Found report={report} />;
  const folder = ref_.startsWith('folder:');
  if (!here && listed && graphIn(listed.repository.graphs, ref_, dtype) === undefined) {
    return (
      <p className="field-issue">
        <Trans>It has no {dtype} weights.</Trans>
      </p>
    );
  }
  const words = here
    ? folder
      ? t`Check it by running`
      : t`Here; check it by running`
    : job?.status === 'paused'
      ? t`Go on, ${left}`
      : t`Load ${left} from ${host}`;
  return (
    <div className="model-press">
      <button type="button" className="button button-main" onClick={() => get()}>
        {words}
      </button>
      {!here && (
        <span className="field-hint">
          {job?.status === 'paused'
            ? t`Paused; what has come is kept.`
            : t`Nothing of it is fetched yet.`}
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
        {step === 'get' ? t`Fetching` : t`Loading and checking`}
        {loaded !== null && `: ${loaded.what}`}
        {known && t`, ${bytes(loaded.bytes)} of ${bytes(total)}`}
      </p>
      <progress
        aria-label={t`Progress of the model`}
        max={1}
        {...(known ? { value: loaded.bytes / total } : {})}
      />
      <button type="button" className="button" onClick={onPause}>
        {step === 'get' ? t`Pause` : t`Cancel`}
      </button>
    </div>
  );
}

const formWords = (): Record<Form, string> => ({
  alone: t`one row alone`,
  'same length': t`rows of one length together`,
  right: t`rows padded on the right`,
  left: t`rows padded on the left`,
  cached: t`token by token behind a cache`,
  loop: t`decoding in a loop`,
});

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
        <Trans>
          <b>Ready</b> on {provider === 'webgpu' ? 'WebGPU' : 'WebAssembly'}:{' '}
          {plural(vocabulary, { one: '# logit', other: '# logits' })} for{' '}
          {plural(tokens, { one: '# token', other: '# tokens' })},{' '}
          {positions < maxPositions && t`${count(positions)} of `}
          {plural(maxPositions, { one: '# position', other: '# positions' })}, {types.join(' and ')}
          ; about {bytes(memory)} at its busiest.
        </Trans>
      </p>
      <p>
        <Trans>
          Its own noise: up to {significant(probe.floor.logp, 2)} nats in a token’s log-prob,{' '}
          {significant(probe.floor.logS, 2)} in log s.
        </Trans>
      </p>
      <p className="field-hint" data-testid="model-gradient">
        {noGradient ?? t`A gradient can be taken through this graph.`}
      </p>
      {unpacked && (
        <p className="field-hint">
          <Trans>
            Its weights of few bits are unpacked once to float32, the numbers that they are
            multiplied as: on WebAssembly that is faster.
          </Trans>
        </p>
      )}
      {refusedGpu !== null && <p className="notice">{refusedGpu}</p>}
      {unused.length > 0 && (
        <p className="field-hint">
          <Trans>
            Not used, because it fails or gives other numbers:{' '}
            {unused
              .map(
                ({ form, logp, problem }) =>
                  `${formWords()[form]} (${problem?.slice(0, 160) ?? `${significant(logp, 2)} nats`})`,
              )
              .join(', ')}
            .
          </Trans>
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
      <summary>
        <Trans>{plural(files.length, { one: '# file', other: '# files' })}, with SHA-256</Trans>
      </summary>
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
