import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Prose } from './Prose';

/** What a person reads, markup left out; low indices after an underscore. */
const read = (text: string) =>
  renderToStaticMarkup(<Prose>{text}</Prose>)
    .replaceAll('<sub>', '_')
    .replace(/<[^>]+>/g, '');

describe('the engine’s plain ASCII, as a person reads it', () => {
  it.each([
    ['Var[log s] is sigma^2 / L, slope -1.', 'Var[log s] is σ² / L, slope −1.'],
    ['L / L_eff = 1 + 2 sum rho_k', 'L / L_eff = 1 + 2 Σ ρ_k'],
    ['sigma^2/L (1 + 2 sum (1 - k/L) rho_k) + tau^2', 'σ²/L (1 + 2 Σ (1 − k/L) ρ_k) + τ²'],
    ['(sum w)^2 / (n sum w^2)', '(Σ w)² / (n Σ w²)'],
    ['log mean PPL_old - mean H_old', 'log mean PPL_old − mean H_old'],
    ['sqrt(L), k-hat, 1e-12, dH', '√(L), k̂, 10⁻¹², ΔH'],
  ])('%s', (written, shown) => {
    expect(read(written)).toBe(shown);
  });

  it.each(['π_θ is new', 'scored by pi_theta.', 'log pi_sampler', 'log π_θ'])(
    'sets the index low: %s',
    (text) => {
      expect(renderToStaticMarkup(<Prose>{text}</Prose>)).toMatch(/π<sub>(θ|sampler)<\/sub>/);
    },
  );

  it.each(['half-width 0.2', 'step-04200', '2025-10-27', 'the sum of all', 'a monumental murmur'])(
    'leaves words alone: %s',
    (text) => {
      expect(read(text)).toBe(text);
    },
  );
});
