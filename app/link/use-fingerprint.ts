/** What a link may carry of the run in view, and why it carries nothing where it does not. */
import { experimentSettings } from '../../src/link/experiments';
import type { AnyPageSettings, PageId } from '../../src/link/pages';
import type { RunSettings } from '../../src/settings/run';
import type { RunFingerprint } from '../../src/engine/lab/protocol';
import { sameRun } from '../../src/link/link';
import type { Run } from '../state/lab';
import { useAnswer, useLab, useLabState, type Answer } from '../state/react';

export type Missing = 'no run' | 'files' | 'other settings' | 'unfinished';
export type Fingerprinting = { status: 'none'; why: Missing } | Answer<RunFingerprint>;

/** @param first so many responses are enough */
function whyNot(run: Run | null, settings: RunSettings, first = Infinity): Missing | null {
  if (run === null) return 'no run';
  if (run.settings === null) return 'files';
  if (!sameRun(run.settings, settings)) return 'other settings';
  const { phase, sequences } = run.progress;
  const whole = phase === 'finished' || phase === 'rested';
  return whole || sequences >= first ? null : 'unfinished';
}

/**
 * @param page whose experiment gives the headline figures, under the choices `view`
 * @param first of so many responses, as a link found them; left out: of all, once the run has its end or rests
 */
export function useFingerprint(
  settings: RunSettings,
  page: PageId,
  view: AnyPageSettings,
  first?: number,
): Fingerprinting {
  const lab = useLab();
  const run = useLabState((state) => state.run);
  const why = whyNot(run, settings, first);
  const asked = experimentSettings(page, view);
  const n = first ?? run?.progress.sequences;
  const key = run === null || why !== null ? null : JSON.stringify([run.id, n, asked]);
  const answer = useAnswer(key, () =>
    lab.fingerprint(
      run?.id ?? -1,
      asked && { id: asked.experiment, settings: asked.settings },
      first,
    ),
  );
  return why === null ? answer : { status: 'none', why };
}
