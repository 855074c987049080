/**
 * Samplers that disagree with the trainer in known ways, for "break it": the example's responses with other
 * `logp_sampler`. Contract: pure and deterministic; everything else of a line stays.
 */
export interface Sampler {
  /** name of the file */
  file: string;
  /** @param u uniform in 0..1, another for every token */
  logp(logpOld: number, u: () => number): number;
}

/** Standard normal, by Box and Muller. */
const normal = (u: () => number) => Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());

export const SAMPLERS = {
  noise: {
    file: 'sampler-noise.jsonl',
    logp: (old, u) => {
      const sigma = 0.4 * (1 - Math.exp(old));
      // exp(sigma z - sigma^2 / 2) averages 1
      return old - (sigma * normal(u) - sigma ** 2 / 2);
    },
  },
  topP: { file: 'sampler-top-p.jsonl', logp: (old) => old - Math.log(0.9) },
  temperature: { file: 'sampler-temperature.jsonl', logp: (old) => old / 0.9 },
} as const satisfies Record<string, Sampler>;

/** A small multiplicative generator: looks random, and the same file every time. */
function uniforms(seed: number): () => number {
  let state = 20251022 + seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/**
 * @param text JSONL with `logp_old`
 * @param seed of the noise, from 1 on
 */
export function withSampler(text: string, sampler: Sampler, seed = 1): string {
  const u = uniforms(seed);
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
