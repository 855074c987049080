/**
 * Experiment page `experts`: of a mixture of experts, which tokens go to others under the new policy, and what that does to
 * their ratios and to the sequence weight.
 */
import { useMemo } from 'react';
import type { ExpertsMeasure, ExpertsResult } from '../../../src/experiments/experts';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import type { Overlaid } from '../../charts/shapes';
import { Formula } from '../../format/Formula';
import { Term } from '../../format/Term';
import { Claims, ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import { BinsSwitch } from '../../page/statistics/Controls';
import '../../page/statistics/statistics.css';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { MarginFigure } from './MarginFigure';
import { ReplayedObjectives } from './ReplayedObjectives';
import { ReplayFigure } from './ReplayFigure';
import { StudySection } from './StudyFigures';
import './experts.css';

export default function Experts() {
  const [bins, setBins] = usePageSetting('experts', 'bins');
  const answer = useExperiment('experts', EXPERIMENT_SETTINGS.experts({ bins }));
  const overlays = useMeasured();
  return (
    <ExperimentPage
      page="experts"
      lead={
        <>
          In a mixture of experts a router sends each token to two of them. A small step of the
          policy may turn a router that was near a tie: the token is then computed by other weights,
          and its <Term of="ratio">ratio</Term> jumps. How much of what GRPO clips is that, and how
          much of it is left in s?
        </>
      }
      verdict={<VerdictChip verdict={answer.result?.verdict ?? 'none'} />}
      figures={
        <>
          <Live<ExpertsResult> answer={answer} promise="Flipped routes are drawn here.">
            {({ measure }, axesKey) =>
              measure === null ? (
                <NoRoutes />
              ) : (
                <>
                  <div className="page-switches" data-part="controls">
                    <BinsSwitch value={bins} onChoose={setBins} />
                  </div>
                  <MarginFigure
                    measure={measure}
                    overlays={overlays}
                    axesKey={`${axesKey} ${bins}`}
                  />
                  {measure.replay && (
                    <>
                      <ReplayFigure replay={measure.replay} overlays={replayed(overlays)} />
                      <ReplayedObjectives
                        replay={measure.replay}
                        overlays={replayed(overlays)}
                        axesKey={axesKey}
                      />
                    </>
                  )}
                </>
              )
            }
          </Live>
          <StudySection />
        </>
      }
      words={<Words result={answer.result} />}
    />
  );
}

function NoRoutes() {
  return (
    <div className="empty-figures" data-testid="no-routes">
      <p>
        These rollouts carry no routes: their policy is dense. Choose a policy with experts in the
        setup.
      </p>
    </div>
  );
}

/** Runs laid over that have routes. */
function useMeasured(): readonly Overlaid<ExpertsMeasure>[] {
  const overlays = useOverlays('experts');
  return useMemo(
    () =>
      overlays.flatMap(({ result, ...own }) =>
        result.measure === null ? [] : [{ ...own, result: result.measure }],
      ),
    [overlays],
  );
}

/** Runs laid over that were scored on the old routes, too. */
const replayed = (overlays: readonly Overlaid<ExpertsMeasure>[]) =>
  overlays.flatMap(({ result: { replay }, ...own }) =>
    replay === null ? [] : [{ ...own, result: replay }],
  );

const LAW = String.raw`\begin{aligned} \log s &= \tfrac1L \sum_{t \in F} d_t + \tfrac1L \sum_{t \notin F} d_t \\ \text{share of } F &= \frac{\operatorname{Cov}\left(\tfrac1L \sum_{t \in F} d_t,\, \log s\right)}{\operatorname{Var}[\log s]} \end{aligned}`;

function Words({ result }: { result: ExpertsResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={LAW} block height={130} label="what flipped tokens bring" />
        <p>
          F are the tokens whose experts changed in some layer. They are compared with others that
          were as near to another route, because unsure routers may go with unsure tokens. If flips
          did nothing, F would bring its share of the tokens.
        </p>
        <p>
          Routing replay scores the same tokens once more, with every token of prompt and response
          sent to the experts that the old policy chose; how these are weighed is the new policy’s.
          What it takes from Var[dₜ] is what flips bring, where they happen and behind them. If the
          law Var[log s] = σ²/L holds with replay and without, it takes the same share of Var[log
          s].
        </p>
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}
