/**
 * Experiment page `numerics`, "Same model, other arithmetic": bias and spread of q4 beside fp32, what rho and s make of
 * them with the length, and how many responses leave GSPO's band though nothing was trained.
 */
import { useMemo } from 'react';
import type { NumericsMeasure, NumericsResult } from '../../../src/experiments/numerics';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import type { Overlaid } from '../../charts/shapes';
import { Formula } from '../../format/Formula';
import { Term } from '../../format/Term';
import { Claims, ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import { BiasFigure } from '../../page/statistics/BiasFigure';
import { BinsSwitch, CurveSwitch } from '../../page/statistics/Controls';
import { SharesFigure, VarianceFigure } from '../../page/statistics/PairGrowth';
import '../../page/statistics/statistics.css';
import { axesKeyOf } from '../../page/statistics/views';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { useExperiment, useLab, useLabState } from '../../state/react';
import { ClipFigure } from './ClipFigure';

const WORDS = {
  title: 'Other arithmetic minus the first',
  drew: 'model that drew the tokens',
  xLabel: 'log π_old(yₜ), nats',
  yLabel: 'mean of dₜ, nats',
  caption: 'dₜ = log π_θ(yₜ) − log π_old(yₜ)',
  more: '',
};

export default function Numerics() {
  const [bins, setBins] = usePageSetting('numerics', 'bins');
  const [kind, setKind] = usePageSetting('numerics', 'curve');
  const answer = useExperiment('numerics', EXPERIMENT_SETTINGS.numerics({ bins }));
  const overlays = useMeasured();
  return (
    <ExperimentPage
      page="numerics"
      lead={
        <>
          The same weights in fewer bits: fast engines sample with them, trainers do not. Their{' '}
          <Term of="logProb">log-probs</Term> differ on every token by rounding alone. What does a
          weight make of it that sums, or averages, over a response?
        </>
      }
      verdict={<VerdictChip verdict={answer.result?.verdict ?? 'none'} />}
      figures={
        <>
          <WhichPair />
          <Live<NumericsResult>
            answer={answer}
            promise="Bias and spread between two arithmetics appear here."
          >
            {({ measure, sequences }, axesKey) => {
              if (measure === null) return null;
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
                  <BiasFigure {...figure} words={WORDS} />
                  <div className="figure-pair">
                    <VarianceFigure {...figure} />
                    <SharesFigure {...figure} />
                  </div>
                  <ClipFigure {...figure} />
                </>
              );
            }}
          </Live>
        </>
      }
      words={<Words result={answer.result} />}
    />
  );
}

/** Figures are of whatever pair is in view; whether that is one model, its settings say. */
function WhichPair() {
  const lab = useLab();
  const source = useLabState(({ run }) => run?.settings?.source);
  if (source?.kind === 'models' && source.old === source.new) {
    return (
      <p className="notice" data-testid="which-pair">
        In view: {source.old.replace(/^[a-z]+:/, '')}, {source.oldDtype} drew and {source.newDtype}{' '}
        scores.
      </p>
    );
  }
  return (
    <div className="notice" data-testid="which-pair">
      <p>
        {source?.kind === 'models'
          ? 'The run in view is of two models: their weights differ, not only their arithmetic.'
          : 'What is in view are two policies, not one in two arithmetics. Choose a model of your own, with fp32 and q4 weights, in the setup.'}
      </p>
      {source?.kind !== 'models' && (
        <button
          type="button"
          className="button"
          onClick={() => lab.edit((draft) => ({ ...draft, kind: 'models' }))}
        >
          Choose a model
        </button>
      )}
    </div>
  );
}

/** Runs laid over that have responses. */
function useMeasured(): readonly Overlaid<NumericsMeasure>[] {
  const overlays = useOverlays('numerics');
  return useMemo(
    () =>
      overlays.flatMap(({ result, ...own }) =>
        result.measure === null ? [] : [{ ...own, result: result.measure }],
      ),
    [overlays],
  );
}

const LAW = String.raw`\begin{aligned} d_t &= \log \pi_\theta(y_t) - \log \pi_{\text{old}}(y_t) \\ \operatorname{Var}[\log \rho] &= L\,\sigma^2 \\ \operatorname{Var}[\log s] &= \sigma^2 / L \\ \operatorname{E}[\log s] &= -\sigma^2 / 2 \end{aligned}`;

function Words({ result }: { result: NumericsResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={LAW} block height={130} label="rounding of a response by its length" />
        <p>
          Rounding that is normal noise around a mean weight of 1 costs −σ²/2 a token. ρ = exp(Σ dₜ)
          sums it: half of the responses are soon wasted. s averages it: the noise goes like 1/L,
          the bias stays, and where it is larger than the band, long responses are all outside.
        </p>
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}
