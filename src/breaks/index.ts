/**
 * "Break it", page by page: every control, what it promises and where to see it. Contract: declarations only; what
 * they promise is held by `engine/lab/breaks.test.ts`.
 */
import type { ExperimentId } from '../experiments/manifest';
import type { Break, Change, PageBreaks, Pair, Promised } from './break';
import { SAMPLERS, type Sampler } from './samplers';

export * from './break';
export { withSampler, type Sampler } from './samplers';

type Asked<Kind extends Change['kind']> =
  Extract<Change, { kind: Kind }> extends {
    change: infer C;
  }
    ? C
    : never;

const synthetic = (change: Asked<'synthetic'>): Change => ({ kind: 'synthetic', change });
const policies = (change: Asked<'policies'>, pair?: Pair): Change => ({
  kind: 'policies',
  change,
  ...(pair === undefined ? {} : { pair }),
});

/** The same promise for several claims of a page. */
const all = (page: ExperimentId, promised: Promised, ...names: string[]): Break['promises'] =>
  Object.fromEntries(names.map((name) => [`${page}.${name}`, promised]));

const FORMS = all('equivalence', 'holds', 'geometric', 'perplexity', 'entropy');
const IDENTITIES = all('gradient', 'holds', 'gspo-token', 'information-gain');

/** The default pair of the policy that has some. */
const EXPERTS = { policy: 'arithmetic-moe', old: 'step-02900', new: 'step-03000' } as const;

const example = (sampler: Sampler | null): Change => ({ kind: 'example', sampler });

export const BREAKS: Record<ExperimentId, PageBreaks> = {
  equivalence: {
    lead: 'An identity cannot be argued down, only its arithmetic can. Try to pull the three forms apart.',
    breaks: [
      {
        title: 'Push the policies apart',
        why: 'α = 2 walks past the new policy; s leaves 1 far behind, the forms stay together.',
        watch: 'Three forms of s, one distribution',
        rollouts: policies({ alpha: 2 }),
        promises: FORMS,
      },
      {
        title: 'Make responses very long',
        why: 'Up to 4,096 synthetic tokens: naive products underflow to 0 ÷ 0, the three forms do not.',
        watch: 'Where naive products underflow',
        rollouts: synthetic({
          prompts: 40,
          groupSize: 4,
          lengthShape: 'uniform',
          minLength: 16,
          maxLength: 4096,
        }),
        promises: FORMS,
      },
      {
        title: 'Make ratios wild',
        why: 'σ = 5 nats a token with heavy tails: the hardest case for rounding.',
        watch: 'Distance from float64',
        rollouts: synthetic({ prompts: 100, sigma: 5, tailDegrees: 3 }),
        promises: FORMS,
      },
    ],
  },
  entropy: {
    lead: 'The prediction is of first order, and of tokens that the old policy drew. Take a longer step, or let another policy draw.',
    breaks: [
      {
        title: 'Back along the line, α = −1',
        why: 'The same step the other way: the first order changes its sign, the second does not.',
        watch: 'Entropy change of a token',
        rollouts: policies({ alpha: -1 }),
        promises: {},
      },
      {
        title: 'Sample at temperature 0.7',
        why: 'Tokens are likelier than the old policy’s entropy says: they surprise it too little, and the estimate of the covariance is biased.',
        watch: 'Entropy change of a token',
        rollouts: policies({ temperature: 0.7 }),
        promises: {},
      },
      {
        title: 'Sample in 4 bits',
        why: 'The sampler’s weights are the old policy’s, rounded: nearly its tokens, so that little should change.',
        watch: 'Entropy change of a token',
        rollouts: policies({ sampler: 'int4' }),
        promises: {},
      },
    ],
  },
  variance: {
    lead: 'The law needs independent tokens of one variance. Take one away at a time; start from the control.',
    breaks: [
      {
        title: 'Independent tokens (control)',
        why: 'Everything that the law assumes.',
        watch: 'Variance of log s against length',
        rollouts: synthetic({}),
        promises: all('variance', 'holds', 'slope', 'level', 'prefix-slope', 'token-slope'),
      },
      {
        title: 'Correlate neighbours, ρ = 0.5',
        why: 'AR(1): variance up to (1 + ρ)/(1 − ρ) = 3 times σ²/L. The slope nearly survives, the level does not.',
        watch: 'Variance of log s against length',
        rollouts: synthetic({ rho: 0.5 }),
        promises: {
          ...all('variance', 'breaks', 'level'),
          ...all('variance', 'holds', 'token-slope'),
        },
      },
      {
        title: 'Give prompts a shift, τ = 0.03',
        why: 'All responses to a prompt move together: a floor τ² under the variance that no length averages away.',
        watch: 'Variance of log s against length',
        rollouts: synthetic({ tau: 0.03 }),
        promises: {
          ...all('variance', 'breaks', 'slope', 'level', 'prefix-slope'),
          ...all('variance', 'holds', 'token-slope'),
        },
      },
      {
        title: 'Let the noise grow, drift 5',
        why: 'Late tokens are noisier than early ones: one σ² no longer serves all lengths, and longer responses gain less.',
        watch: 'One token',
        rollouts: synthetic({ drift: 5 }),
        promises: {
          ...all('variance', 'breaks', 'slope', 'token-slope'),
          ...all('variance', 'holds', 'level'),
        },
      },
      {
        title: 'Heavy tails, ν = 3',
        why: 'Breaks nothing: the law asks for a variance, not for a normal. The intervals of the slopes widen, some beyond a verdict.',
        watch: 'Variance of log s against length',
        rollouts: synthetic({ tailDegrees: 3 }),
        promises: {
          ...all('variance', 'holds', 'level'),
          ...all('variance', 'spared', 'slope', 'prefix-slope', 'token-slope'),
        },
      },
      {
        title: 'The real pair, twice as far',
        why: 'α = 2 walks past the new policy along the same line. Does a farther pair obey better or worse?',
        watch: 'Variance of log s against length',
        rollouts: policies({ alpha: 2 }),
        promises: {},
      },
    ],
  },
  dependence: {
    lead: 'The truth of a synthetic run is known. Plant a dependence and see whether it is found, by its name and at its size.',
    breaks: [
      {
        title: 'Independent tokens (control)',
        why: 'Nothing to find.',
        watch: 'Where the variance comes from',
        rollouts: synthetic({}),
        promises: all(
          'dependence',
          'holds',
          'covariance',
          'prompt',
          'mean-by-length',
          'position',
          'law',
        ),
      },
      {
        title: 'Neighbours alike, ρ = 0.5',
        why: 'The truth: ρₖ = 0.5ᵏ, so 1 + 2 Σ ρₖ = 3 and a response is worth a third of its tokens.',
        watch: 'Autocorrelation of token log-ratios',
        rollouts: synthetic({ rho: 0.5 }),
        promises: {
          ...all('dependence', 'breaks', 'covariance'),
          ...all('dependence', 'holds', 'prompt', 'position', 'law'),
        },
      },
      {
        title: 'Neighbours opposed, ρ = −0.5',
        why: 'Averaging works better than predicted: 1 + 2 Σ ρₖ = 1/3.',
        watch: 'Autocorrelation of token log-ratios',
        rollouts: synthetic({ rho: -0.5 }),
        promises: {
          ...all('dependence', 'breaks', 'covariance'),
          ...all('dependence', 'holds', 'prompt', 'position', 'law'),
        },
      },
      {
        title: 'Prompts differ, τ = 0.03',
        why: 'Responses to one prompt move together; the naive law lacks the floor τ² = 0.0009.',
        watch: 'How much is shared',
        rollouts: synthetic({ tau: 0.03 }),
        promises: {
          ...all('dependence', 'breaks', 'prompt'),
          ...all('dependence', 'holds', 'position', 'law'),
        },
      },
      {
        title: 'Noise that grows, drift 5',
        why: 'No dependence, yet one σ² is not enough: position, and nothing else, is to be named.',
        watch: 'Where the variance comes from',
        rollouts: synthetic({ drift: 5 }),
        promises: {
          ...all('dependence', 'breaks', 'position'),
          ...all('dependence', 'holds', 'covariance', 'prompt', 'mean-by-length'),
        },
      },
      {
        title: 'The real pair',
        why: 'Arithmetic has hard steps and easy ones, and hard prompts and easy ones.',
        watch: 'Where the variance comes from',
        rollouts: policies({}),
        promises: {},
      },
    ],
  },
  weights: {
    lead: 'The predictions ask for normal, independent log-ratios. Take that away, or let the policies drift so far apart that the unnormalised weight gives up.',
    breaks: [
      {
        title: 'Normal and independent (control)',
        why: 'Log-normal by construction. How heavy the tail is takes more responses than these to say.',
        watch: 'Effective sample size over n',
        rollouts: synthetic({ prompts: 1000 }),
        promises: {
          ...all('weights', 'holds', 'kurtosis', 'unnormalised-share'),
          ...all('weights', 'spared', 'pareto'),
        },
      },
      {
        title: 'Policies further apart, σ = 0.3',
        why: 'Still log-normal, but ρ wastes half of the responses after 8 tokens; s hardly notices.',
        watch: 'Effective sample size over n',
        rollouts: synthetic({ prompts: 1000, sigma: 0.3 }),
        promises: {
          ...all('weights', 'holds', 'kurtosis'),
          ...all('weights', 'spared', 'unnormalised-share', 'pareto'),
        },
      },
      {
        title: 'Heavy tails, ν = 10, a token or two',
        why: 'Student’s t in responses of mostly one token: too short for averaging to make them normal.',
        watch: 'Is log s normal?',
        rollouts: synthetic({
          prompts: 12_000,
          tailDegrees: 10,
          lengthShape: 'geometric',
          minLength: 1,
          maxLength: 2,
        }),
        promises: all('weights', 'breaks', 'kurtosis'),
      },
      {
        title: 'Correlated neighbours, ρ = 0.8',
        why: 'Normal, but not independent: the log of the unnormalised weight has up to 9 times the predicted variance.',
        watch: 'Effective sample size over n',
        rollouts: synthetic({ prompts: 1000, sigma: 0.2, rho: 0.8 }),
        promises: {
          ...all('weights', 'breaks', 'unnormalised-share'),
          ...all('weights', 'holds', 'kurtosis'),
        },
      },
      {
        title: 'The real pair, twice as far',
        why: 'α = 2: real log-ratios are mostly near 0 with rare large ones, which is no normal.',
        watch: 'Heaviness of the tails',
        rollouts: policies({ alpha: 2 }),
        promises: {},
      },
    ],
  },
  length: {
    lead: 'Bias needs noise, or positions that differ.',
    breaks: [
      {
        title: 'Same noise everywhere (control)',
        why: 'No position is special: perplexity still falls with the length, by the Jensen gap alone.',
        watch: 'Perplexity against length',
        rollouts: synthetic({}),
        promises: all('length', 'holds', 'ratio', 'cancels'),
      },
      {
        title: 'Correlate neighbours, ρ = 0.7',
        why: 'The ratio keeps more of its noise: the gap of s grows, but stays too small to matter.',
        watch: 'The bias from noise',
        rollouts: synthetic({ rho: 0.7 }),
        promises: all('length', 'holds', 'ratio', 'cancels'),
      },
      {
        title: 'Wide policies, σ = 0.5',
        why: 'The two policies share less, so less cancels: mean s rises for short responses.',
        watch: 'Their ratio, s',
        rollouts: synthetic({ sigma: 0.5 }),
        promises: { ...all('length', 'breaks', 'ratio'), ...all('length', 'holds', 'cancels') },
      },
      {
        title: 'The real pair',
        why: 'Its first tokens choose among several valid steps, so they may be the hard ones.',
        watch: 'The bias from position',
        rollouts: policies({}),
        promises: {},
      },
    ],
  },
  clipping: {
    lead: 'The prediction needs independent tokens, one spread for all prompts, and normal tails.',
    breaks: [
      {
        title: 'Independent and normal (control)',
        why: 'σ = 0.01: what the prediction assumes. No token comes near GRPO’s band.',
        watch: 'Fixed or adaptive band, by length',
        rollouts: synthetic({ prompts: 1000, sigma: 0.01 }),
        promises: all('clipping', 'holds', 'gspo-outside', 'adaptive'),
      },
      {
        title: 'Correlate the tokens, ρ = 0.8',
        why: 'σ = 0.003, AR(1): s spreads more than σ/√L, so more is outside than predicted.',
        watch: 'Fixed or adaptive band, by length',
        rollouts: synthetic({ sigma: 0.003, rho: 0.8 }),
        promises: all('clipping', 'breaks', 'gspo-outside'),
      },
      {
        title: 'Give prompts their own shift',
        why: 'τ = 0.002 does not average out over a response: long ones are outside more often than the adaptive band intends.',
        watch: 'Fixed or adaptive band, by length',
        rollouts: synthetic({ sigma: 0.01, tau: 0.002 }),
        promises: all('clipping', 'breaks', 'adaptive'),
      },
    ],
  },
  gradient: {
    lead: 'How much gradient a response gets for its length is what the aggregation says, as long as weights stay near 1. The identities hold all the same.',
    breaks: [
      {
        title: 'Long responses drift away',
        why: 'μ = −0.02 per token: RLOO’s ρ shrinks exponentially with L, and so does its gradient.',
        watch: 'Gradient of each response',
        rollouts: synthetic({ mu: -0.02, sigma: 0.05 }),
        promises: IDENTITIES,
      },
      {
        title: 'Wild ratios',
        why: 'σ = 1: weights differ by orders of magnitude and a few responses hold the gradient.',
        watch: 'What becomes of the gradient',
        rollouts: synthetic({ sigma: 1 }),
        promises: IDENTITIES,
      },
    ],
  },
  precision: {
    lead: 'Responses sit close to the edge when s spreads about as far as the band is wide.',
    breaks: [
      {
        title: 'Put s at the edge',
        why: 'σ = 0.003: the spread of s is about the width of GSPO’s band, so every lost digit changes decisions.',
        watch: 'Wrong side of the band',
        rollouts: synthetic({ sigma: 0.003 }),
        promises: {
          ...all('precision', 'breaks', 'bf16'),
          ...all('precision', 'spared', 'six-decimals'),
        },
      },
      {
        title: 'Make responses short',
        why: 'At most eight tokens: nothing averages the rounding out.',
        watch: 'Error of log s',
        rollouts: synthetic({ sigma: 0.003, lengthShape: 'uniform', minLength: 1, maxLength: 8 }),
        promises: {
          ...all('precision', 'breaks', 'bf16'),
          ...all('precision', 'spared', 'six-decimals'),
        },
      },
    ],
  },
  objectives: {
    lead: 'The ratios average 1 only if the tokens came from the old policy itself.',
    breaks: [
      {
        title: 'Tokens from the old policy (control)',
        why: 'μ = −σ²/2: the mean ratio is exactly 1.',
        watch: 'Clip share on these rollouts',
        rollouts: synthetic({ sigma: 0.1, mu: -0.005 }),
        promises: all('objectives', 'holds', 'gspo-loss', 'mean-ratio'),
      },
      {
        title: 'Another policy sampled',
        why: 'μ = +0.05: all tokens became likelier, as if someone else had drawn them. k1 turns negative, which no divergence can be.',
        watch: 'How far πθ is from πold',
        rollouts: synthetic({ mu: 0.05 }),
        promises: {
          ...all('objectives', 'breaks', 'mean-ratio'),
          ...all('objectives', 'holds', 'gspo-loss'),
        },
      },
    ],
  },
  experts: {
    lead: 'Flips need a policy with experts. Take the one that ships, and walk along the line between two of its checkpoints.',
    breaks: [
      {
        title: 'The policy with experts',
        why: 'Eight experts in every layer, two to a token; two checkpoints that are a hundred steps of training apart.',
        watch: 'Log-ratios by margin of the router',
        rollouts: policies({}, EXPERTS),
        promises: {},
      },
      {
        title: 'One step of GSPO',
        why: 'Four updates apart, as a trainer meets its rollouts: how many routes flip within one step?',
        watch: 'What routing replay leaves',
        rollouts: policies({}, { ...EXPERTS, old: 'gspo-00149', new: 'gspo-00150' }),
        promises: {},
      },
      {
        title: 'A tenth of the way, α = 0.1',
        why: 'Ratios shrink with the distance, and so does the share of routes that flip; is what is left of the variance where they do?',
        watch: 'Log-ratios by margin of the router',
        rollouts: policies({ alpha: 0.1 }),
        promises: {},
      },
      {
        title: 'Twice as far, α = 2',
        why: 'More routes flip, those of wider margins too.',
        watch: 'Log-ratios by margin of the router',
        rollouts: policies({ alpha: 2 }),
        promises: {},
      },
    ],
  },
  mismatch: {
    lead: 'The lab’s own policies are sampled by the engine that scores them, unless the setup gives the sampler other arithmetic: the first four round the old policy’s weights for it, or cut off what it finds unlikely. The others load the synthetic example with another sampler; your own files bring theirs as “logp_sampler”.',
    breaks: [
      {
        title: 'An 8-bit sampler',
        why: 'The old policy itself, its matrices in 8 bits with a scale per column: σ stays under a hundredth of a nat, and no length here wears ρ out.',
        watch: 'What is left of the responses',
        rollouts: policies({ sampler: 'int8' }),
        promises: {},
      },
      {
        title: 'A 4-bit sampler',
        why: 'Blocks of 32 weights in 16 steps, as onnxruntime’s MatMulNBits has them. The sampler drew what it reports, so the weights average 1; ρ wears out.',
        watch: 'What is left of the responses',
        rollouts: policies({ sampler: 'int4' }),
        promises: {},
      },
      {
        title: 'A 4-bit sampler at temperature 0.8',
        why: 'It draws at another temperature than that of the log-probs that it reports: likely tokens come more often than the weights allow for.',
        watch: 'Trainer minus sampler',
        rollouts: policies({ sampler: 'int4', temperature: 0.8 }),
        promises: {},
      },
      {
        title: 'A sampler with top-p 0.9',
        why: 'The old policy itself, its unlikely tokens cut off: the log of what is kept is added to every log-prob that it reports. Known, and no noise: ρ drifts with the length all the same.',
        watch: 'Trainer minus sampler',
        rollouts: policies({ topP: 0.9 }),
        promises: {},
      },
      {
        title: 'bfloat16 (the example as it is)',
        why: 'The sampler’s log-probs are the trainer’s, rounded to 8 bits.',
        watch: 'Trainer minus sampler',
        rollouts: example(null),
        promises: {
          ...all('mismatch', 'holds', 'mean-weight', 'bias'),
          ...all('mismatch', 'spared', 'mean-slope'),
        },
      },
      {
        title: 'Noise where it is unsure',
        why: 'σ = 0.4 (1 − p) with mean weight 1, as a coarse engine has it: ρ wears out with the length. As many responses decide nothing.',
        watch: 'What is left of the responses',
        rollouts: example(SAMPLERS.noise),
        promises: all('mismatch', 'spared', 'mean-weight', 'bias', 'mean-slope'),
      },
      {
        title: 'Top-p, renormalised',
        why: 'The sampler cut a tenth of the tail and reports what is left: it is surer of every token than the trainer, and the weights average less than 1.',
        watch: 'Trainer minus sampler',
        rollouts: example(SAMPLERS.topP),
        promises: all('mismatch', 'breaks', 'mean-weight', 'bias'),
      },
      {
        title: 'Log-probs of temperature 0.9',
        why: 'Reported at another temperature than the trainer’s: off by a tenth of the log-prob, worst where the sampler was least sure.',
        watch: 'Trainer minus sampler',
        rollouts: example(SAMPLERS.temperature),
        promises: all('mismatch', 'breaks', 'mean-weight', 'bias'),
      },
    ],
  },
  numerics: {
    lead: 'These plant differences whose truth is known, in place of a model in two arithmetics.',
    breaks: [
      {
        title: 'Rounding as it should be',
        why: 'Normal noise of σ = 0.1 with mean −σ²/2: the weights average 1, s keeps a bias of −0.005, which is twelve times the band.',
        watch: 'Outside GSPO’s band',
        rollouts: synthetic({ mu: -0.005, sigma: 0.1 }),
        promises: all('numerics', 'spared', 'mean-weight', 'bias', 'mean-slope'),
      },
      {
        title: 'An arithmetic with a bias of its own',
        why: 'μ = +0.05: every token became likelier, which no rounding of a distribution does.',
        watch: 'Other arithmetic minus the first',
        rollouts: synthetic({ mu: 0.05, sigma: 0.1 }),
        promises: all('numerics', 'breaks', 'mean-weight', 'bias'),
      },
    ],
  },
};
