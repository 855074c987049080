/** A run that a reload or a crash cut off, on offer. */
import { runDifferences } from '../../src/settings/run';
import { counted } from '../format/numbers';
import { useLab, useLabState } from '../state/react';
import { dateWords, differenceWords, sourceWords } from './words';

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
        <b>A run was cut off</b> after {counted(cutOff.sequences, 'response')} of{' '}
        {cutOff.totalSequences.toLocaleString('en-US')} ({cutOff.name ?? sourceWords(cutOff)},{' '}
        {dateWords(cutOff.createdAt)}
        {how !== '' && `; ${how}`}). Its finished batches are {here ? 'in view' : 'kept'}; it goes
        on with the same numbers.
      </p>
      <button type="button" className="button button-main" onClick={() => void lab.resumeCutOff()}>
        Resume it
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
          Start afresh
        </button>
      )}
      <button type="button" className="button-quiet" onClick={() => lab.dismissCutOff()}>
        Not now
      </button>
    </div>
  );
}
