/**
 * Experiment page `entropy`: the change of the policy's Shannon entropy, what the covariance of log-probs and logit change
 * says of it beforehand, and dH, which is neither.
 */
import { useMemo } from 'react';
import type { EntropyMeasure, EntropyResult } from '../../../src/experiments/entropy';
import { EXPERIMENT_SETTINGS } from '../../../src/link/experiments';
import { useAxis } from '../../charts/axes';
import { domainOf } from '../../charts/scale';
import type { Overlaid } from '../../charts/shapes';
import { Formula } from '../../format/Formula';
import { estimate, significant } from '../../format/numbers';
import { Term } from '../../format/Term';
import { Claims, ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { Live } from '../../page/Live';
import { BinsSwitch } from '../../page/statistics/Controls';
import '../../page/statistics/statistics.css';
import { useLengthAxis } from '../../page/statistics/views';
import { useOverlays } from '../../runs/useOverlays';
import { usePageSetting } from '../../state/address-react';
import { useExperiment } from '../../state/react';
import { ChangeFigure } from './ChangeFigure';

export default function Entropy() {
  const [bins, setBins] = usePageSetting('entropy', 'bins');
  const answer = useExperiment('entropy', EXPERIMENT_SETTINGS.entropy({ bins }));
  const overlays = useMeasured();
  return (
    <ExperimentPage
      page="entropy"
      lead={
        <>
          Three things are called entropy change: what the policy’s own entropy does, its prediction
          as a covariance, and ΔH in s = exp(ΔH), the change of the cross-entropy of the sampled{' '}
          <Term of="rollout">tokens</Term>. Here they lie side by side, for any pair of policies.
        </>
      }
      verdict={<VerdictChip verdict={answer.result?.verdict ?? 'none'} />}
      figures={
        <Live<EntropyResult> answer={answer} promise="Three changes of entropy are drawn here.">
          {({ measure }, axesKey) =>
            measure === null ? (
              <NoEntropies />
            ) : (
              <>
                <div className="page-switches" data-part="controls">
                  <BinsSwitch value={bins} onChoose={setBins} />
                </div>
                <Figures measure={measure} overlays={overlays} axesKey={`${axesKey} ${bins}`} />
              </>
            )
          }
        </Live>
      }
      words={<Words result={answer.result} />}
    />
  );
}

interface FiguresProps {
  measure: EntropyMeasure;
  overlays: readonly Overlaid<EntropyMeasure>[];
  axesKey: string;
}

function Figures({ measure, overlays, axesKey }: FiguresProps) {
  const every = [measure, ...overlays.map(({ result }) => result)];
  const entropies = every.flatMap(({ byEntropy }) => byEntropy.map(({ at }) => at));
  const byEntropy = useAxis('linear', domainOf([...entropies, 0], 0.05), `${axesKey} H`, 6);
  const byLength = useLengthAxis(
    every.flatMap((own) => own.byLength.flatMap(({ at }) => [0.97 * at, 1.03 * at])),
    axesKey,
  );
  const byResponse = useAxis(
    'linear',
    domainOf([...every.flatMap((own) => own.byResponse.map(({ at }) => at)), 0], 0.05),
    `${axesKey} response`,
    6,
  );
  const { all } = measure;
  return (
    <>
      <ChangeFigure
        measure={measure}
        overlays={overlays}
        axesKey={axesKey}
        against="byEntropy"
        title="Entropy change of a token"
        label="Mean entropy change, its first-order prediction and the cross-entropy change by entropy before"
        xLabel="entropy under the old policy, nats"
        column="entropy before, nats"
        x={byEntropy}
        hero
        caption={
          <>
            Tokens by how unsure the old policy was, an equal share of its entropy in each. All
            together: the entropy changes by {significant(all.change.estimate, 3)}, to first order
            by {significant(all.covariance.estimate, 3)}, and ΔH is{' '}
            {significant(all.crossEntropy.estimate, 3)} nats a token.
          </>
        }
      />
      <ChangeFigure
        measure={measure}
        overlays={overlays}
        axesKey={axesKey}
        against="byResponse"
        title="Entropy change of a response"
        label="Mean entropy change, its first-order prediction and the cross-entropy change by a response’s mean entropy before"
        xLabel="mean entropy of the response under the old policy, nats"
        column="entropy before, nats"
        x={byResponse}
        caption="Responses by how unsure the old policy was on average, an equal number in each; means over their tokens. For each response log s = ΔH: GSPO’s weight follows the squares, not the circles."
      />
      <ChangeFigure
        measure={measure}
        overlays={overlays}
        axesKey={axesKey}
        against="byLength"
        title="Entropy change by length"
        label="Mean entropy change, its first-order prediction and the cross-entropy change by response length"
        xLabel="response tokens, L"
        column="tokens"
        x={byLength}
        caption="The same means over the tokens of responses of similar length. How long a response became depends on its tokens, so that here the prediction need not be unbiased."
      />
    </>
  );
}

function NoEntropies() {
  return (
    <div className="empty-figures" data-testid="no-entropies">
      <p>
        These rollouts carry no Shannon entropies. Runs of policies do; a file brings them as{' '}
        <code>entropy_old</code> and <code>entropy_new</code>.
      </p>
    </div>
  );
}

/** Runs laid over that have entropies. */
function useMeasured(): readonly Overlaid<EntropyMeasure>[] {
  const overlays = useOverlays('entropy');
  return useMemo(
    () =>
      overlays.flatMap(({ result, ...own }) =>
        result.measure === null ? [] : [{ ...own, result: result.measure }],
      ),
    [overlays],
  );
}

const LAW = String.raw`\begin{aligned} \mathcal H_\theta &- \mathcal H_\text{old} \\ &\approx -\operatorname{Cov}_{\pi_\text{old}}\!\left(\log \pi_\text{old},\, \Delta z\right) \\ &= \operatorname{E}\left[-(\log \pi_\text{old}(y_t) + \mathcal H_\text{old})\, d_t\right] \\ \operatorname{E}[d_t] &= -\mathrm{KL} \approx -\sigma^2/2 \end{aligned}`;

function Words({ result }: { result: EntropyResult | null }) {
  const quotient = result?.measure?.quotient ?? null;
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={LAW} block height={170} label="first-order change of an entropy" />
        <p>
          Where likely tokens become likelier, the entropy falls by their covariance (Hao et al.
          2025). One sampled token estimates it without bias, because its expected surprise, the
          entropy, is known. ΔH is a divergence with a minus: over tokens that the old policy drew
          it is of second order, whatever the entropy does.
        </p>
        {quotient !== null && Number.isFinite(quotient.estimate) && (
          <p>
            Here the entropy changes by {estimate({ ...quotient, interval: null })} times its first
            order.
          </p>
        )}
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}
