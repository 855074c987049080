/**
 * The setup panel: what the next run does. Contract: edits never touch a run that is under way; what
 * differs from it is listed; a value that cannot be is explained beside its field.
 */
import { useMemo, type ReactNode } from 'react';
import { BACKENDS, DEFAULT_SETTINGS, type BackendChoice } from '../../src/link/settings';
import type { PolicyManifest } from '../../src/policy/manifest';
import { useLab, useLabState } from '../state/react';
import { isLive } from '../state/lab';
import { AddCheckpoint } from './AddCheckpoint';
import { checkpointLabel } from './checkpoints';
import { differences, draftOf, readDraft, type Draft, type Issues } from './draft';
import { NumberField, SelectField } from './Field';
import { POLICIES_FIELDS, type PoliciesField } from './fields';
import { SetupGroup } from './SetupGroup';
import { SyntheticFields } from './SyntheticFields';

const BACKEND_NAMES: Record<BackendChoice, string> = {
  auto: 'automatic',
  webgpu: 'WebGPU',
  wasm: 'WebAssembly',
};

function newSeed(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}

export function SetupPanel() {
  const lab = useLab();
  const draft = useLabState((state) => state.draft);
  const run = useLabState((state) => state.run);
  const { settings, issues } = useMemo(() => readDraft(draft), [draft]);
  // Data from a file have no settings to compare with.
  const compared = run?.settings ?? null;
  const changed = compared !== null && settings !== null ? differences(compared, settings) : [];

  const setKind = (kind: Draft['kind']) => lab.edit((before) => ({ ...before, kind }));
  return (
    <form
      className="setup"
      aria-label="Setup"
      onSubmit={(event) => {
        event.preventDefault();
        void lab.start();
      }}
    >
      <div className="segmented segmented-wide" role="group" aria-label="Source of the rollouts">
        <button
          type="button"
          aria-pressed={draft.kind === 'policies'}
          onClick={() => setKind('policies')}
        >
          Policy pair
        </button>
        <button
          type="button"
          aria-pressed={draft.kind === 'synthetic'}
          onClick={() => setKind('synthetic')}
        >
          Synthetic
        </button>
      </div>
      {draft.kind === 'policies' ? (
        <PoliciesFields draft={draft} issues={issues} />
      ) : (
        <SyntheticFields draft={draft} issues={issues} newSeed={newSeed} />
      )}
      <SetupGroup title="Machine">
        <SelectField
          label="Backend"
          hint="automatic: WebGPU on a real adapter, else WebAssembly"
          value={draft.backend}
          options={BACKENDS.map((backend) => ({ value: backend, label: BACKEND_NAMES[backend] }))}
          onChange={(backend) => lab.edit((before) => ({ ...before, backend }))}
        />
      </SetupGroup>
      {issues.settings !== undefined && (
        <p className="field-issue" role="alert">
          {issues.settings}
        </p>
      )}
      <div className="setup-foot">
        {changed.length > 0 && (
          <div className="setup-changes" data-testid="changes">
            <p>
              {isLive(run) ? 'The run under way has other settings' : 'Changed since this run'}:
            </p>
            <ul>
              {changed.slice(0, 6).map(({ name, before, after }) => (
                <li key={name}>
                  {name} <s>{before}</s> → <b>{after}</b>
                </li>
              ))}
              {changed.length > 6 && <li>and {changed.length - 6} more</li>}
            </ul>
            <button type="submit" className="button">
              Start with these
            </button>
            <button
              type="button"
              className="button-quiet"
              onClick={() => {
                if (compared !== null) lab.edit((before) => draftOf(compared, before));
              }}
            >
              Take back
            </button>
          </div>
        )}
        <button type="button" className="button-quiet" onClick={() => lab.restoreDefaults()}>
          Restore defaults
        </button>
      </div>
      {/* Enter in a field starts, when everything is valid. */}
      <button type="submit" hidden disabled={settings === null} />
    </form>
  );
}

const NO_POLICIES: readonly PolicyManifest[] = [];

function PoliciesFields({ draft, issues }: { draft: Draft; issues: Issues }) {
  const lab = useLab();
  const policies = useLabState((state) =>
    state.opening.status === 'open' ? state.opening.policies : NO_POLICIES,
  );
  const { policies: values } = draft;
  const policy = policies.find(({ name }) => name === values.policy);
  const set = (change: Partial<Draft['policies']>) =>
    lab.edit((before) => ({ ...before, policies: { ...before.policies, ...change } }));
  const checkpoints = policy?.checkpoints.map((checkpoint) => ({
    value: checkpoint.id,
    label: checkpointLabel(checkpoint),
  }));
  const field = (key: PoliciesField, extra: ReactNode = null, slider = false) => (
    <NumberField
      spec={POLICIES_FIELDS[key]}
      text={values[key]}
      issue={issues[key]}
      {...(slider ? { slider: 'linear' as const } : {})}
      standard={
        DEFAULT_SETTINGS.source.kind === 'policies' ? DEFAULT_SETTINGS.source[key] : undefined
      }
      onChange={(text) => set({ [key]: text })}
      extra={extra}
    />
  );
  return (
    <>
      <SetupGroup title="Policies">
        <SelectField
          label="Policy"
          hint={
            policy === undefined
              ? 'the list arrives with the engine'
              : `${policy.title}; ${(policy.parameters / 1e6).toFixed(2)} M parameters`
          }
          value={values.policy}
          options={
            policies.length > 0
              ? policies.map(({ name, title }) => ({ value: name, label: title }))
              : [{ value: values.policy, label: values.policy }]
          }
          onChange={(name) => {
            const pair = policies.find((other) => other.name === name)?.defaultPair;
            set({ policy: name, ...pair });
          }}
        />
        <SelectField
          label="Old policy"
          symbol="π_old"
          hint="samples the responses"
          value={values.old}
          options={checkpoints ?? [{ value: values.old, label: values.old }]}
          onChange={(old) => set({ old })}
        />
        <SelectField
          label="New policy"
          symbol="π_θ"
          hint="scores them again"
          value={values.new}
          options={checkpoints ?? [{ value: values.new, label: values.new }]}
          onChange={(theta) => set({ new: theta })}
        />
        <AddCheckpoint policy={values.policy} />
        {field('alpha', null, true)}
      </SetupGroup>
      <SetupGroup title="Rollouts">
        <div className="field-row">
          {field('prompts')}
          {field('groupSize')}
        </div>
        <div className="field-row">
          {field('minOperators')}
          {field('maxOperators')}
        </div>
        <div className="field-row">
          {field('temperature')}
          {field('maxLength')}
        </div>
        {field(
          'seed',
          <button type="button" className="button-quiet" onClick={() => set({ seed: newSeed() })}>
            New seed
          </button>,
        )}
      </SetupGroup>
    </>
  );
}
