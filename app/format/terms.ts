/**
 * The words of the field that the pages use, each explained once: under the pointer or the finger where a page first
 * uses it (`Term.tsx`), and on the glossary page. Plain ASCII for symbols, as `Prose` reads it.
 */
import { t } from '@lingui/core/macro';
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
    get name() {
      return t`advantage A`;
    },
    get words() {
      return t`How much better than its group a response did: its reward minus the mean of the group, often over the group’s standard deviation. Training raises what has A > 0 and lowers what has A < 0.`;
    },
    page: 'gradient',
  },
  band: {
    get name() {
      return t`band, clip range`;
    },
    get words() {
      return t`The ratios from 1 - ε to 1 + ε, each side with an ε of its own, that an objective leaves alone. GSPO’s paper uses 3e-4 and 4e-4 for the sequence weight, GRPO 0.2 for token ratios.`;
    },
    page: 'clipping',
  },
  clip: {
    get name() {
      return t`clip`;
    },
    get words() {
      return t`To stop the gradient of what has left the band in the direction of its advantage: the new policy has moved far enough there. The clip share is how many tokens or responses that is.`;
    },
    page: 'clipping',
  },
  crossEntropy: {
    get name() {
      return t`cross-entropy H`;
    },
    get words() {
      return t`The mean surprise of a response under a policy: minus the mean of its log-probs, in nats per token. Measured on the tokens that were drawn, it is not the policy’s Shannon entropy.`;
    },
    page: 'equivalence',
  },
  entropy: {
    get name() {
      return t`entropy`;
    },
    get words() {
      return t`How undecided a policy is before a token: 0 where it is sure, log n nats where n tokens are equally likely. Shannon’s, over the whole vocabulary.`;
    },
    page: 'equivalence',
  },
  group: {
    get name() {
      return t`group`;
    },
    get words() {
      return t`The responses to one prompt. GRPO and GSPO judge a response against its group, so they need no second model that predicts rewards.`;
    },
  },
  grpo: {
    name: 'GRPO',
    get words() {
      return t`Group relative policy optimization (Shao et al., 2024): PPO’s clipped objective with advantages from groups. It weighs and clips every token by its own ratio.`;
    },
    page: 'objectives',
  },
  gspo: {
    name: 'GSPO',
    get words() {
      return t`Group sequence policy optimization (Zheng et al., 2025): like GRPO, but a response is weighed and clipped as a whole, by its sequence weight s.`;
    },
    page: 'equivalence',
  },
  kl: {
    get name() {
      return t`KL divergence`;
    },
    get words() {
      return t`How far one policy is from another, in nats per token: the mean of the log-ratio over what the first would say. 0 where both say the same.`;
    },
    page: 'objectives',
  },
  logProb: {
    get name() {
      return t`log-prob`;
    },
    get words() {
      return t`The natural logarithm of the probability that a policy gives to a token, after the prompt and all tokens before it. 0 is certain; -0.69 is one half.`;
    },
  },
  logRatio: {
    get name() {
      return t`log-ratio d_t`;
    },
    get words() {
      return t`The new policy’s log-prob of a token minus the old one’s. Above 0: the token has become more likely.`;
    },
    page: 'dependence',
  },
  nat: {
    name: 'nat',
    get words() {
      return t`The unit of information with natural logarithms: 1 nat is 1.44 bits. A token of probability 1/e = 37 % carries one nat.`;
    },
  },
  objective: {
    get name() {
      return t`objective`;
    },
    get words() {
      return t`What a trainer maximises: a weight times an advantage, clipped in some way and averaged in some way. GSPO, GRPO, DAPO and CISPO are objectives.`;
    },
    page: 'objectives',
  },
  perplexity: {
    get name() {
      return t`perplexity PPL`;
    },
    get words() {
      return t`The exponential of the cross-entropy: among how many equally likely tokens the policy chose, on average. 1 is no surprise at all.`;
    },
    page: 'length',
  },
  policy: {
    get name() {
      return t`policy π`;
    },
    get words() {
      return t`A language model seen as what acts: it gives every next token a probability. pi_old drew the responses; pi_theta is the one being trained.`;
    },
  },
  prompt: {
    get name() {
      return t`prompt`;
    },
    get words() {
      return t`What a policy is asked; here a sum such as 6+3+6-8+7+1=.`;
    },
  },
  ratio: {
    get name() {
      return t`ratio r_t`;
    },
    get words() {
      return t`The new policy’s probability of a token over the old one’s. 1: nothing has changed; 1.2: a fifth more likely.`;
    },
    page: 'weights',
  },
  rollout: {
    get name() {
      return t`rollout`;
    },
    get words() {
      return t`A response that a policy drew, token by token, with the log-probs of its tokens: what a trainer learns from.`;
    },
  },
  sequenceWeight: {
    get name() {
      return t`sequence weight s`;
    },
    get words() {
      return t`GSPO’s one number for a whole response: the geometric mean of its token ratios, which is the exponential of the mean log-ratio.`;
    },
    page: 'equivalence',
  },
  token: {
    get name() {
      return t`token`;
    },
    get words() {
      return t`What a policy reads and writes one at a time; in this lab’s policies a single character, in larger ones a piece of a word.`;
    },
  },
  unnormalised: {
    get name() {
      return t`unnormalised weight ρ`;
    },
    get words() {
      return t`The product of all token ratios, without the root. It is what importance sampling asks for, and it grows or shrinks exponentially with the length.`;
    },
    page: 'weights',
  },
} as const satisfies Record<string, Entry>;

export type TermId = keyof typeof TERMS;

/** The glossary's order: by name, whatever the case. */
export const TERM_LIST: readonly (Entry & { id: TermId })[] = (Object.keys(TERMS) as TermId[])
  .map((id) => ({ id, ...TERMS[id] }))
  .sort((a, b) => a.name.localeCompare(b.name, 'en'));
