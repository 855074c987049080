/**
 * Running text with the paper's symbols in it. Contract: the engine and the schema write plain ASCII
 * (`pi_old`, `PPL_theta`, `d_t`, `dH`, `1e-12`); a person reads π with its index set low, σ², ΔH, 10⁻¹².
 */
import { superscript } from './numbers';

const GREEK: Record<string, string> = {
  alpha: 'α',
  pi: 'π',
  theta: 'θ',
  sigma: 'σ',
  rho: 'ρ',
  tau: 'τ',
  mu: 'μ',
};

const greek = (word: string) => GREEK[word] ?? word;

/** "pi_old" as π with a low index; a word without an index as it is. */
export function Symbol({ text }: { text: string }) {
  const [base = '', index] = text.split('_');
  return (
    <span className={base.length > 1 && greek(base) === base ? 'symbol' : 'symbol symbol-slanted'}>
      {greek(base)}
      {index !== undefined && <sub>{greek(index)}</sub>}
    </span>
  );
}

const INDEXED =
  /((?:π|θ|pi|theta|PPL|H|d|r|p|rho|L)_(?:old|new|theta|t|y|θ|k|eff|sampler))(?![\p{L}\d])/u;

/** @param children Lingui hands on nothing where a text is empty */
export function Prose({ children = '' }: { children?: string }) {
  return children.split(INDEXED).map((part, i) =>
    i % 2 === 1 ? (
      <Symbol key={i} text={part} />
    ) : (
      part
        .replace(/\b(sigma|tau|rho|mu)\b/g, greek)
        .replace(/\^2(?!\d)/g, '²')
        .replace(/\bsqrt\(/g, '√(')
        .replace(/\bk-hat\b/g, 'k̂')
        .replace(/\bsum (?=[(w]|$)/g, 'Σ ')
        .replace(/(?<![\w.])-(?=\d)| - /g, (minus) => minus.replace('-', '−'))
        .replace(/\bdH\b/g, 'ΔH')
        .replace(/\b1e(-?\d+)\b/g, (_, power: string) => `10${superscript(Number(power))}`)
    ),
  );
}
