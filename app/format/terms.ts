/**
 * The words of the field that the pages use, each explained once: under the pointer or the finger where a page first
 * uses it (`Term.tsx`), and on the glossary page. Plain ASCII for symbols, as `Prose` reads it.
 */
import type { PageId } from '../../src/experiments/manifest';

interface Entry {
  /** as it stands in the glossary */
  name: string;
  /** one or two sentences */
  words: string;
  /** where the lab measures it */
  page?: PageId;
}

export const TERMS = {
  advantage: {
    name: 'advantage A',
    words:
      'How much better than its group a response did: its reward minus the mean of the group, often over the group’s standard deviation. Training raises what has A > 0 and lowers what has A < 0.',
    page: 'gradient',
  },
  band: {
    name: 'band, clip range',
    words:
      'The ratios from 1 - ε to 1 + ε, each side with an ε of its own, that an objective leaves alone. GSPO’s paper uses 3e-4 and 4e-4 for the sequence weight, GRPO 0.2 for token ratios.',
    page: 'clipping',
  },
  clip: {
    name: 'clip',
    words:
      'To stop the gradient of what has left the band in the direction of its advantage: the new policy has moved far enough there. The clip share is how many tokens or responses that is.',
    page: 'clipping',
  },
  crossEntropy: {
    name: 'cross-entropy H',
    words:
      'The mean surprise of a response under a policy: minus the mean of its log-probs, in nats per token. Measured on the tokens that were drawn, it is not the policy’s Shannon entropy.',
    page: 'equivalence',
  },
  entropy: {
    name: 'entropy',
    words:
      'How undecided a policy is before a token: 0 where it is sure, log n nats where n tokens are equally likely. Shannon’s, over the whole vocabulary.',
    page: 'equivalence',
  },
  group: {
    name: 'group',
    words:
      'The responses to one prompt. GRPO and GSPO judge a response against its group, so they need no second model that predicts rewards.',
  },
  grpo: {
    name: 'GRPO',
    words:
      'Group relative policy optimization (Shao et al., 2024): PPO’s clipped objective with advantages from groups. It weighs and clips every token by its own ratio.',
    page: 'objectives',
  },
  gspo: {
    name: 'GSPO',
    words:
      'Group sequence policy optimization (Zheng et al., 2025): like GRPO, but a response is weighed and clipped as a whole, by its sequence weight s.',
    page: 'equivalence',
  },
  kl: {
    name: 'KL divergence',
    words:
      'How far one policy is from another, in nats per token: the mean of the log-ratio over what the first would say. 0 where both say the same.',
    page: 'objectives',
  },
  logProb: {
    name: 'log-prob',
    words:
      'The natural logarithm of the probability that a policy gives to a token, after the prompt and all tokens before it. 0 is certain; -0.69 is one half.',
  },
  logRatio: {
    name: 'log-ratio d_t',
    words:
      'The new policy’s log-prob of a token minus the old one’s. Above 0: the token has become more likely.',
    page: 'dependence',
  },
  nat: {
    name: 'nat',
    words:
      'The unit of information with natural logarithms: 1 nat is 1.44 bits. A token of probability 1/e = 37 % carries one nat.',
  },
  objective: {
    name: 'objective',
    words:
      'What a trainer maximises: a weight times an advantage, clipped in some way and averaged in some way. GSPO, GRPO, DAPO and CISPO are objectives.',
    page: 'objectives',
  },
  perplexity: {
    name: 'perplexity PPL',
    words:
      'The exponential of the cross-entropy: among how many equally likely tokens the policy chose, on average. 1 is no surprise at all.',
    page: 'length',
  },
  policy: {
    name: 'policy π',
    words:
      'A language model seen as what acts: it gives every next token a probability. pi_old drew the responses; pi_theta is the one being trained.',
  },
  prompt: {
    name: 'prompt',
    words: 'What a policy is asked; here a sum such as 6+3+6-8+7+1=.',
  },
  ratio: {
    name: 'ratio r_t',
    words:
      'The new policy’s probability of a token over the old one’s. 1: nothing has changed; 1.2: a fifth more likely.',
    page: 'weights',
  },
  rollout: {
    name: 'rollout',
    words:
      'A response that a policy drew, token by token, with the log-probs of its tokens: what a trainer learns from.',
  },
  sequenceWeight: {
    name: 'sequence weight s',
    words:
      'GSPO’s one number for a whole response: the geometric mean of its token ratios, which is the exponential of the mean log-ratio.',
    page: 'equivalence',
  },
  token: {
    name: 'token',
    words:
      'What a policy reads and writes one at a time; in this lab’s policies a single character, in larger ones a piece of a word.',
  },
  unnormalised: {
    name: 'unnormalised weight ρ',
    words:
      'The product of all token ratios, without the root. It is what importance sampling asks for, and it grows or shrinks exponentially with the length.',
    page: 'weights',
  },
} as const satisfies Record<string, Entry>;

export type TermId = keyof typeof TERMS;

/** The glossary's order: by name, whatever the case. */
export const TERM_LIST: readonly (Entry & { id: TermId })[] = (Object.keys(TERMS) as TermId[])
  .map((id) => ({ id, ...TERMS[id] }))
  .sort((a, b) => a.name.localeCompare(b.name, 'en'));
