/**
 * Experiment page `equivalence`: three ways to write GSPO's sequence weight, one number. Shows the
 * live run; before it has numbers, a recorded one, labelled and hatched.
 */
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { HISTOGRAM_BINS } from '../../../src/link/pages';
import { useOverlays, useOverlaysKey } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { useExperiment, useLabState } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Deviations } from './Deviations';
import { EntropyChange } from './EntropyChange';
import { FormAgainstForm } from './FormAgainstForm';
import { Histograms } from './Histograms';
import { Underflow } from './Underflow';
import { Words } from './Words';

export default function Equivalence() {
  const [bins, setBins] = usePageSetting('equivalence', 'bins');
  const { result, run, refusal, recorded } = useExperiment(
    'equivalence',
    EXPERIMENT_SETTINGS.equivalence({ bins }),
  );
  const laid = useOverlaysKey();
  const overlays = useOverlays('equivalence');
  const axesKey = recorded ? 'recorded' : `run ${run} ${laid}`;
  const data = result === null ? null : { result, recorded, axesKey, overlays };

  return (
    <ExperimentPage
      page="equivalence"
      lead={
        <>
          GSPO weighs a whole response by the geometric mean of its token{' '}
          <Term of="ratio">ratios</Term>. Liu (2025) says that this is a ratio of{' '}
          <Term of="perplexity">perplexities</Term>, and the exponential of a change in{' '}
          <Term of="crossEntropy">cross-entropy</Term>. Here a <Term of="policy">policy</Term>{' '}
          answers arithmetic in your browser, and each response’s weight is computed all three ways.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <>
          {refusal !== null && (
            <p className="notice notice-bad" role="alert">
              The experiment gave no answer: {refusal}
            </p>
          )}
          {data === null ? (
            <EmptyFigures />
          ) : (
            <>
              <Histograms
                {...data}
                controls={<BinsChoice bins={bins} disabled={recorded} onChoose={setBins} />}
              />
              <div className="figure-pair">
                <FormAgainstForm {...data} />
                <Deviations {...data} />
              </div>
              <div className="figure-pair">
                <Underflow {...data} />
                <EntropyChange {...data} />
              </div>
            </>
          )}
        </>
      }
      words={<Words result={result} recorded={recorded} />}
    />
  );
}

type Bins = (typeof HISTOGRAM_BINS)[number];

function BinsChoice({
  bins,
  disabled,
  onChoose,
}: {
  bins: Bins;
  disabled: boolean;
  onChoose: (bins: Bins) => void;
}) {
  return (
    <div className="segmented" role="group" aria-label="Number of bins">
      {HISTOGRAM_BINS.map((choice) => (
        <button
          key={choice}
          type="button"
          aria-pressed={choice === bins}
          disabled={disabled}
          onClick={() => onChoose(choice)}
        >
          {choice}
          {choice === HISTOGRAM_BINS[0] && ' bins'}
        </button>
      ))}
    </div>
  );
}

/** Holds the place of the figures, so that nothing jumps when the first batch arrives. */
function EmptyFigures() {
  const phase = useLabState((state) => state.run?.progress.phase ?? null);
  return (
    <div className="empty-figures" data-testid="empty">
      <svg viewBox="0 0 400 120" aria-hidden="true">
        <path d="M10 110C120 110 150 20 200 20S280 110 390 110" className="empty-curve empty-1" />
        <path d="M10 110C120 110 150 20 200 20S280 110 390 110" className="empty-curve empty-2" />
        <path d="M10 110C120 110 150 20 200 20S280 110 390 110" className="empty-curve empty-3" />
      </svg>
      <p>
        {phase === null
          ? 'No run yet. Press Start, and three histograms of s grow here, one per form.'
          : 'Three histograms of s grow here with the first batch, one per form.'}
      </p>
    </div>
  );
}
