/**
 * Experiment page `mismatch`: the engine that drew the tokens is not the trainer. What its small
 * disagreements do to summed and to averaged weights, and what each correction makes of them.
 */
import { useMemo } from 'react';
import type { MismatchMeasure, MismatchResult } from '../../../src/experiments/mismatch';
import type { Overlaid } from '../../charts/shapes';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import '../../charts/practice.css';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import { BinsSwitch, CurveSwitch } from '../../page/statistics/Controls';
import '../../page/statistics/statistics.css';
import { BiasFigure } from '../../page/statistics/BiasFigure';
import { SharesFigure, VarianceFigure } from '../../page/statistics/PairGrowth';
import { axesKeyOf } from '../../page/statistics/views';
import { significant } from '../../format/numbers';
import { CorrectionGrowth } from './CorrectionGrowth';
import { Corrections } from './Corrections';
import { Words } from './Words';

export default function Mismatch() {
  const [bins, setBins] = usePageSetting('mismatch', 'bins');
  const [kind, setKind] = usePageSetting('mismatch', 'curve');
  const answer = useExperiment('mismatch', EXPERIMENT_SETTINGS.mismatch({ bins }));
  const { result } = answer;
  const overlays = useMeasured();
  return (
    <ExperimentPage
      page="mismatch"
      lead={
        <>
          <Term of="rollout">Rollouts</Term> come from a fast engine, gradients from a trainer with
          the same weights and other kernels. Their <Term of="logProb">log-probs</Term> differ a
          little on every token. A weight that sums those differences explodes with the length of a
          response; one that averages them does not.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <Live<MismatchResult>
          answer={answer}
          promise="Bias and spread between sampler and trainer appear here."
        >
          {({ measure, sequences }, axesKey) => {
            if (measure === null) return <NoSampler />;
            const points = measure.shares[kind].points.length;
            const figure = {
              measure,
              sequences,
              kind,
              overlays,
              axesKey: axesKeyOf(axesKey, kind, bins, points),
            };
            return (
              <>
                <div className="page-switches" data-part="controls">
                  <CurveSwitch
                    value={kind}
                    onChoose={(chosen) => {
                      if (chosen !== 'both') setKind(chosen);
                    }}
                  />
                  <BinsSwitch value={bins} onChoose={setBins} />
                </div>
                <BiasFigure
                  {...figure}
                  words={{
                    title: 'Trainer minus sampler',
                    drew: 'sampler',
                    xLabel: 'log π_sampler(yₜ), nats',
                    yLabel: 'mean of eₜ, nats',
                    caption: 'eₜ = log π_old(yₜ) − log π_sampler(yₜ)',
                    more: `; KL(sampler ‖ trainer), k3: ${significant(measure.metrics.k3_kl, 3)}`,
                  }}
                />
                <div className="figure-pair">
                  <VarianceFigure {...figure} />
                  <SharesFigure {...figure} />
                </div>
                <CorrectionGrowth measure={measure} overlays={overlays} axesKey={axesKey} />
                <Corrections measure={measure} overlays={overlays} />
              </>
            );
          }}
        </Live>
      }
      words={<Words result={result} />}
    />
  );
}

/** Runs laid over that have a sampler of their own. */
function useMeasured(): readonly Overlaid<MismatchMeasure>[] {
  const overlays = useOverlays('mismatch');
  return useMemo(
    () =>
      overlays.flatMap(({ result, ...own }) =>
        result.measure === null ? [] : [{ ...own, result: result.measure }],
      ),
    [overlays],
  );
}

function NoSampler() {
  return (
    <div className="empty-figures" data-testid="no-sampler">
      <p>
        These rollouts say nothing about another sampler: the engine that scored them drew them.
        Choose another arithmetic for the sampler in the setup, open a file with{' '}
        <code>logp_sampler</code> on the Data page, or load one under “Break it”.
      </p>
    </div>
  );
}
