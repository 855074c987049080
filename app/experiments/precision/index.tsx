/**
 * Experiment page `precision`: the same log-probs in fewer digits; how far s moves, and how many responses
 * change sides of the clip band.
 */
import type { PrecisionResult } from '../../../src/experiments/precision';
import { CLIP_BANDS, EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import '../../charts/practice.css';
import { Formula } from '../../format/Formula';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { Term } from '../../format/Term';
import { Claims, ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Choice } from '../../page/Choice';
import { Live } from '../../page/Live';
import { ErrorFigure } from './ErrorFigure';
import { WrongSideFigure } from './WrongSideFigure';

type BandName = keyof typeof CLIP_BANDS;

const ERROR_LAW = String.raw`\operatorname{Var}[\delta \log s] = \frac{1}{12\,L^2}\sum_t \bigl(u(a_t)^2 + u(b_t)^2\bigr)`;

export default function Precision() {
  const [band, setBand] = usePageSetting('precision', 'band');
  const answer = useExperiment('precision', EXPERIMENT_SETTINGS.precision({ band }));
  const { result } = answer;
  return (
    <ExperimentPage
      page="precision"
      lead={
        <>
          GSPO’s <Term of="band">band</Term> is a few times 10⁻⁴ wide. A trainer that stores{' '}
          <Term of="logProb">log-probs</Term> in bfloat16, or writes three decimals, moves the
          weight by as much; here the log-probs at hand are rounded and the decision is taken again.
        </>
      }
      verdict={<VerdictChip verdict={result?.verdict ?? 'none'} />}
      figures={
        <>
          <div className="page-controls" data-part="controls">
            <span>Clip band</span>
            <Choice<BandName>
              label="Clip band"
              value={band}
              choices={(['gspo', 'luspo', 'grpo'] as const).map((value) => ({
                value,
                name: CLIP_BANDS[value].name,
              }))}
              onChoose={setBand}
            />
          </div>
          <Live<PrecisionResult>
            answer={answer}
            promise="The error of s in each number format grows here."
          >
            {(now, axesKey) => (
              <>
                <ErrorFigure result={now} axesKey={axesKey} />
                <WrongSideFigure result={now} axesKey={`${axesKey} ${band}`} />
              </>
            )}
          </Live>
        </>
      }
      words={
        <>
          <section>
            <h2>Prediction</h2>
            <Formula tex={ERROR_LAW} block height={52} label="variance of the rounding error" />
            <p>
              Rounding to a grid of spacing u is an error that is uniform over one spacing. Errors
              of different tokens are independent, so the mean over a response shrinks them by √L;
              what is left carries a response across an edge with a normal probability.
            </p>
          </section>
          <section>
            <h2>Verdict</h2>
            <Claims claims={result?.claims ?? []} />
          </section>
        </>
      }
    />
  );
}
