/**
 * The setup panel: what the next run does. Contract: edits never touch a run that is under way; what
 * differs from it is listed; a value that cannot be is explained beside its field.
 */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { Fragment, useMemo } from 'react';
import { runSettingsSchema, SOURCES } from '../../src/settings/run';
import type { Setting } from '../../src/settings/setting';
import { fixed } from '../format/numbers';
import { said } from '../language/i18n';
import { useLab, useLabState } from '../state/react';
import { sourceName } from '../state/imports';
import { KeptModels } from '../models/KeptModels';
import { ModelField } from '../models/ModelField';
import { AddCheckpoint } from './AddCheckpoint';
import { PromptFile } from './PromptFile';
import { SetupChanges } from './SetupDiffers';
import { readDraft, type Draft, type Issues } from '../state/draft';
import { SettingField, SettingsForm, useCatalogue } from './SettingsForm';

const names = (): Record<Draft['kind'], string> => ({
  policies: t`Policy pair`,
  synthetic: t`Synthetic`,
  models: t`Your own models`,
});

/** What is not of the source. */
const MACHINE = { entries: { backend: runSettingsSchema.entries.backend } };

function newSeed(): string {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}

export function SetupPanel() {
  const lab = useLab();
  const draft = useLabState((state) => state.draft);
  const { settings, issues } = useMemo(() => readDraft(draft), [draft]);

  const setKind = (kind: Draft['kind']) => lab.edit((before) => ({ ...before, kind }));
  return (
    <form
      className="setup"
      aria-label={t`Setup`}
      onSubmit={(event) => {
        event.preventDefault();
        void lab.start();
      }}
    >
      <FilesInView />
      <div className="segmented segmented-wide" role="group" aria-label={t`Source of the rollouts`}>
        {(['policies', 'synthetic', 'models'] as const).map((kind) => (
          <button
            key={kind}
            type="button"
            aria-pressed={draft.kind === kind}
            onClick={() => setKind(kind)}
          >
            {names()[kind]}
          </button>
        ))}
      </div>
      <SourceFields draft={draft} issues={issues} />
      <SettingsForm
        schema={MACHINE}
        layout="setup-fields"
        field={(setting) => (
          <SettingField
            key={setting.key}
            setting={setting}
            text={draft.backend}
            onChange={(text) => {
              const backend = setting.read(text) as Draft['backend'];
              lab.edit((before) => ({ ...before, backend }));
            }}
          />
        )}
      />
      {issues['settings'] !== undefined && (
        <p className="field-issue" role="alert">
          {issues['settings']}
        </p>
      )}
      <div className="setup-foot">
        <SetupChanges />
        <button type="button" className="button-quiet" onClick={() => lab.restoreDefaults()}>
          {t`Restore defaults`}
        </button>
      </div>
      {/* Enter in a field starts, when everything is valid. */}
      <button type="submit" hidden disabled={settings === null} />
    </form>
  );
}

/** Data that came from files have none of the settings below, but where a run of the lab is in them. */
function FilesInView() {
  const run = useLabState((state) => state.run);
  if (run === null || run.imported === null || run.settings !== null) return null;
  return (
    <p className="notice" data-testid="files-in-view">
      <Trans>
        In view: <b>{sourceName(run.imported)}</b>,{' '}
        {plural(run.progress.sequences, { one: '# response', other: '# responses' })}. The settings
        below are those of a new run, which takes its place.
      </Trans>
    </p>
  );
}

/** What settings of a policy's prompts are called where its task counts something else than operators. */
const taskWords = (): Readonly<Record<string, Readonly<Record<string, Partial<Setting>>>>> => ({
  maze: {
    prompts: { hint: t`held-out mazes; at most so many` },
    minOperators: { label: t`Shortest side`, hint: t`of a maze, in cells; 3 at least` },
    maxOperators: { label: t`Longest side`, hint: t`of a maze, in cells; 7 at most` },
  },
});

function SourceFields({ draft, issues }: { draft: Draft; issues: Issues }) {
  const lab = useLab();
  const { kind } = draft;
  const texts: Readonly<Record<string, string>> = draft[kind];
  const { policies, policy, options } = useCatalogue(draft.policies.policy);
  const set = (change: Readonly<Record<string, string>>) =>
    lab.edit((before) => ({ ...before, [kind]: { ...before[kind], ...change } }));
  const policyHint =
    policy === undefined
      ? t`the list arrives with the engine`
      : t`${said(policy.title)}; ${fixed(policy.parameters / 1e6, 2)} M parameters`;
  const inTask = kind === 'policies' ? taskWords()[policy?.task ?? ''] : undefined;
  return (
    <SettingsForm
      schema={SOURCES[kind]}
      layout="setup-fields"
      field={(setting) => {
        const { key, label, symbol, hint } = setting;
        const text = texts[key] ?? '';
        if (kind === 'models' && (key === 'old' || key === 'new')) {
          return <ModelField key={key} slot={key} label={label} symbol={symbol} hint={hint} />;
        }
        // The card of each model has them.
        if (kind === 'models' && (key === 'oldDtype' || key === 'newDtype')) return null;
        const field = (
          <SettingField
            key={`${kind} ${key}`}
            setting={{ ...setting, ...inTask?.[key] }}
            text={text}
            issue={issues[key]}
            hint={key === 'policy' ? policyHint : undefined}
            options={options(setting, text)}
            onChange={(chosen) => {
              // A policy comes with the pair that is worth looking at.
              const pair =
                key === 'policy'
                  ? policies.find(({ name }) => name === chosen)?.defaultPair
                  : undefined;
              set({ [key]: chosen, ...pair });
            }}
            extra={
              key === 'seed' ? (
                <button
                  type="button"
                  className="button-quiet"
                  onClick={() => set({ seed: newSeed() })}
                >
                  {t`New seed`}
                </button>
              ) : undefined
            }
          />
        );
        if (kind !== 'models' || key !== 'texts') return field;
        return (
          <Fragment key={key}>
            {field}
            <PromptFile onTexts={(said) => set({ texts: said, task: 'texts' })} />
          </Fragment>
        );
      }}
      below={
        kind === 'models'
          ? { Models: <KeptModels /> }
          : kind === 'policies'
            ? {
                Policies: (
                  <AddCheckpoint
                    policy={draft.policies.policy}
                    chosenAs="the new policy"
                    onAdded={(id) => set({ new: id })}
                  />
                ),
              }
            : {}
      }
    />
  );
}
