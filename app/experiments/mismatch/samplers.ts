/**
 * Samplers that disagree with the trainer in known ways, for "break it": the example's responses with other
 * `logp_sampler`. Contract: pure and deterministic; everything else of a line stays.
 */
export interface Sampler {
  title: string;
  why: string;
  file: string;
  /** @param u uniform in 0..1, another for every token */
  logp(logpOld: number, u: () => number): number;
}

/** Standard normal, by Box and Muller. */
const normal = (u: () => number) => Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());

export const SAMPLERS: readonly Sampler[] = [
  {
    title: 'Noise where it is unsure',
    why: 'σ = 0.4 (1 − p) with mean weight 1, as a coarse engine has it: no claim should fail, and ρ wears out with the length.',
    file: 'sampler-noise.jsonl',
    logp: (old, u) => {
      const sigma = 0.4 * (1 - Math.exp(old));
      // exp(sigma z - sigma^2 / 2) averages 1
      return old - (sigma * normal(u) - sigma ** 2 / 2);
    },
  },
  {
    title: 'Top-p, renormalised',
    why: 'The sampler cut a tenth of the tail and reports what is left: it is surer of every token than the trainer, and the weights average less than 1.',
    file: 'sampler-top-p.jsonl',
    logp: (old) => old - Math.log(0.9),
  },
  {
    title: 'Log-probs of temperature 0.9',
    why: 'Reported at another temperature than the trainer’s: off by a tenth of the log-prob, worst where the sampler was least sure.',
    file: 'sampler-temperature.jsonl',
    logp: (old) => old / 0.9,
  },
];

/** A small multiplicative generator: looks random, and the same file every time. */
function uniforms(): () => number {
  let state = 20251023;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** @param text JSONL with `logp_old` */
export function withSampler(text: string, sampler: Sampler): string {
  const u = uniforms();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const row = JSON.parse(line) as { logp_old: number[] };
      const logp_sampler = row.logp_old.map((old) => Math.min(0, sampler.logp(old, u)));
      return JSON.stringify({ ...row, logp_sampler });
    })
    .join('\n');
}
