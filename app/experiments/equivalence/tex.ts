/**
 * The page's formulas as TeX, with the numbers of one response or of all of them. Contract: strings
 * out, numbers in; form colours are CSS classes (`\htmlClass`), so that a theme may change them.
 */
import type { SequenceDetail } from '../../../src/engine/lab/protocol';
import type { EquivalenceResult, Form } from '../../../src/experiments/equivalence';
import { texNumber } from '../../format/numbers';

function coloured(form: Form, tex: string): string {
  return String.raw`\htmlClass{tex-${form}}{${tex}}`;
}

export const IDENTITY = String.raw`s \;=\; ${coloured('geometric', String.raw`\Bigl(\prod_{t=1}^{L} r_t\Bigr)^{\!1/L}`)} =\; ${coloured('perplexity', String.raw`\frac{\mathrm{PPL}_{\text{old}}}{\mathrm{PPL}_{\theta}}`)} \;=\; ${coloured('entropy', String.raw`e^{\,H_{\text{old}} - H_{\theta}}`)}`;

export const DEFINITIONS = String.raw`\begin{aligned} r_t &= \frac{\pi_\theta(y_t \mid x, y_{<t})}{\pi_{\text{old}}(y_t \mid x, y_{<t})} \\[2pt] H_\pi &= -\frac1L \sum_{t=1}^{L} \log \pi(y_t \mid x, y_{<t}) \\[2pt] \mathrm{PPL}_\pi &= e^{H_\pi} \end{aligned}`;

/** s of one response by three routes; the product token by token, as (r_t)^(1/L) so that it stays finite. */
export function threeRoutes(sequence: SequenceDetail): Record<Form, number> {
  const { length, crossEntropyOld, crossEntropyNew } = sequence;
  return {
    geometric: sequence.tokens.reduce((product, t) => product * Math.exp(t.logRatio / length), 1),
    perplexity: Math.exp(crossEntropyOld) / Math.exp(crossEntropyNew),
    entropy: Math.exp(crossEntropyOld - crossEntropyNew),
  };
}

/** The three forms of one response, numbers in place, one under the other. */
export function workedExample(sequence: SequenceDetail): string {
  const { length, crossEntropyOld, crossEntropyNew, tokens } = sequence;
  const s = threeRoutes(sequence);
  const few = tokens.slice(0, 2).map(({ logRatio }) => texNumber(Math.exp(logRatio), 4));
  const product = few.join(String.raw` \cdot `) + (length > 2 ? String.raw` \cdots` : '');
  return String.raw`\begin{aligned} ${coloured('geometric', String.raw`\bigl(${product}\bigr)^{1/${length}}`)} &= ${texNumber(s.geometric, 8)} \\[6pt] ${coloured('perplexity', String.raw`\frac{${texNumber(Math.exp(crossEntropyOld), 7)}}{${texNumber(Math.exp(crossEntropyNew), 7)}}`)} &= ${texNumber(s.perplexity, 8)} \\[10pt] ${coloured('entropy', String.raw`e^{\,${texNumber(crossEntropyOld, 6)} - ${texNumber(crossEntropyNew, 6)}}`)} &= ${texNumber(s.entropy, 8)} \end{aligned}`;
}

/** Means are linear in logs, so the identity shows in the means of all responses. */
export function inTheMean({ summary }: EquivalenceResult): string {
  const { meanLogWeight, meanCrossEntropyOld, meanCrossEntropyNew } = summary;
  return String.raw`\begin{aligned} \overline{\log s} &= \overline{H_{\text{old}}} - \overline{H_{\theta}} \\ ${texNumber(meanLogWeight, 4)} &= ${texNumber(meanCrossEntropyOld, 6)} - ${texNumber(meanCrossEntropyNew, 6)} \end{aligned}`;
}
