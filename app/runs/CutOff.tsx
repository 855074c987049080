/** A run that a reload or a crash cut off, on offer. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { runDifferences } from '../../src/settings/run';
import { useLab, useLabState } from '../state/react';
import { dateWords, differenceWords, sourceWords } from './words';
import { count } from '../format/numbers';

export function CutOff() {
  const lab = useLab();
  const cutOff = useLabState((state) => state.cutOff);
  const run = useLabState((state) => state.run);
  if (cutOff === null) return null;
  const here = run?.reopened?.id === cutOff.id;
  const settings = run?.settings ?? null;
  const how =
    here || settings === null || cutOff.settings === null
      ? ''
      : differenceWords(runDifferences(settings, cutOff.settings));
  return (
    <div className="banner" role="status" data-testid="cut-off">
      <p>
        <Trans>
          <b>A run was cut off</b> after{' '}
          {plural(cutOff.sequences, { one: '# response', other: '# responses' })} of{' '}
          {count(cutOff.totalSequences)} ({cutOff.name ?? sourceWords(cutOff)},{' '}
          {dateWords(cutOff.createdAt)}
          {how !== '' && `; ${how}`}). Its finished batches are {here ? t`in view` : t`kept`}; it
          goes on with the same numbers.
        </Trans>
      </p>
      <button type="button" className="button button-main" onClick={() => void lab.resumeCutOff()}>
        {t`Resume it`}
      </button>
      {here && (
        <button
          type="button"
          className="button"
          onClick={() => {
            lab.dismissCutOff();
            void lab.start();
          }}
        >
          {t`Start afresh`}
        </button>
      )}
      <button type="button" className="button-quiet" onClick={() => lab.dismissCutOff()}>
        {t`Not now`}
      </button>
    </div>
  );
}
