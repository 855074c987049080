/** A comparison in words; the page and `npm run experiment` say the same. */
import type { Comparison } from './fingerprint';

const count = (n: number) => n.toLocaleString('en-US');

/** Which responses are the same. */
export function tokenWords(compared: Comparison): string {
  const { compares, policies, sequences, tokens, allTokens, differing } = compared;
  if (policies === false) {
    return 'The policy files are others than those of the link, so nothing else need agree.';
  }
  if (sequences.link !== sequences.here) {
    return `The link’s run had ${count(sequences.link)} responses, this one has ${count(sequences.here)}.`;
  }
  const n = count(sequences.here);
  const what = compares === 'tokens' ? 'tokens' : 'log-ratios (to 1e-5)';
  if (allTokens) return `Same ${what} in ${n} of ${n} responses.`;
  const total =
    tokens.link === tokens.here
      ? ''
      : ` (${count(tokens.link)} tokens then, ${count(tokens.here)} now)`;
  if (differing.blocks === 0)
    return `Some ${what} differ${total}, in responses that cannot be named.`;
  const unit = differing.share === 1 ? 'responses' : `blocks of ${differing.share} responses`;
  return `Other ${what} in at least ${count(differing.blocks)} of ${count(differing.of)} ${unit}${total}.`;
}

/** How many figures agree. */
export function figureWords({ figures, unknownFigures }: Comparison): string {
  const within = figures.filter((figure) => figure.within).length;
  const lost =
    unknownFigures === 0
      ? ''
      : ` ${count(unknownFigures)} of the link’s figures ${unknownFigures === 1 ? 'is' : 'are'} not measured here.`;
  if (figures.length === 0) return lost.trim();
  return `${within} of ${figures.length} figures within tolerance.${lost}`;
}
