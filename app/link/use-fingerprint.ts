/** What a link may carry of the run in view, and why it carries nothing where it does not. */
import { experimentSettings } from '../../src/link/experiments';
import type { AnyPageSettings, PageId } from '../../src/link/pages';
import type { RunSettings } from '../../src/settings/run';
import type { RunFingerprint } from '../../src/engine/lab/protocol';
import { sameRun } from '../state/address';
import type { Run } from '../state/lab';
import { useAnswer, useLab, useLabState, type Answer } from '../state/react';

export type Missing = 'no run' | 'files' | 'other settings' | 'unfinished';
export type Fingerprinting = { status: 'none'; why: Missing } | Answer<RunFingerprint>;

function whyNot(run: Run | null, settings: RunSettings): Missing | null {
  if (run === null) return 'no run';
  if (run.settings === null) return 'files';
  if (!sameRun(run.settings, settings)) return 'other settings';
  return run.progress.phase === 'finished' ? null : 'unfinished';
}

/** @param page whose experiment gives the headline figures, under the choices `view` */
export function useFingerprint(
  settings: RunSettings,
  page: PageId,
  view: AnyPageSettings,
): Fingerprinting {
  const lab = useLab();
  const run = useLabState((state) => state.run);
  const why = whyNot(run, settings);
  const asked = experimentSettings(page, view);
  const key = run === null || why !== null ? null : JSON.stringify([run.id, asked]);
  const answer = useAnswer(key, () =>
    lab.fingerprint(run?.id ?? -1, asked && { id: asked.experiment, settings: asked.settings }),
  );
  return why === null ? answer : { status: 'none', why };
}
