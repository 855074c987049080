/** The page's right-hand side: the gradient in logit space, the information-gain reading, the verdict. */
import type { GradientResult } from '../../../src/experiments/gradient';
import { Formula } from '../../format/Formula';
import { significant } from '../../format/numbers';
import { Claims } from '../../page/ExperimentPage';
import { objectiveView } from '../../page/objective-views';

const GRADIENT = String.raw`\frac{\partial\,\text{loss}}{\partial z_t} = -c_i\,w_t\,g_t\,A_i\,\bigl(e_{y_t} - p_t\bigr)`;
const NORM = String.raw`\lVert e_y - p \rVert = \sqrt{1 - 2p_y + \textstyle\sum_v p_v^2}`;
const GAIN = String.raw`s = e^{\Delta H}, \qquad \Delta H = H_{\text{old}} - H_\theta`;

export function Words({ result }: { result: GradientResult | null }) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={GRADIENT} block height={48} label="gradient with respect to the logits" />
        <p>
          c is the aggregation’s coefficient, w the weight, g the gate (0 where clipped). With a
          mean over sequences c = 1/(nL); with a token mean it is the same for every token.
        </p>
        <Formula tex={NORM} block height={44} label="norm in logit space" />
        <Formula tex={GAIN} block height={36} label="the weight as information gain" />
      </section>
      {result?.logitSpace === true && (
        <section>
          <h2>Norm in logit space</h2>
          <table>
            <tbody>
              {result.objectives.map(({ id, logitNorm }) => (
                <tr key={id}>
                  <td>{objectiveView(id).name}</td>
                  <td>{logitNorm === null ? 'unknown' : significant(logitNorm, 4)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} />
      </section>
    </>
  );
}
