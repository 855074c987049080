/** The rule about columns that hold values no log-prob has; their responses were left out of everything else. */
import { whatColumnIs, type ImpossibleKind } from '../../file/impossible';
import { count, counted, number, rule } from '../finding';

const TITLES: Readonly<Record<ImpossibleKind, string>> = {
  probabilities: 'holds probabilities, not log-probs',
  negated: 'holds negated log-probs (NLL)',
  logits: 'holds logits, not log-probs',
  filler: 'is filled up with values that no log-prob has',
  rounding: 'exceeds 0 by rounding',
  low: 'holds fillers or masked logits',
};

export const impossibleValues = rule({
  id: 'impossible-values',
  level: 'warning',
  title: 'A column holds values that no log-prob has',
  symptom: 'The file cannot be read as log-probs; or ratios of e^20 and perplexities below 1',
  measure: 'share of responses with a log-prob above 0, or below any softmax',
  threshold: 0,
  fires: 'above',
  cause: 'A log-prob is at most 0, and no softmax gives one below -1e6.',
  remedy: {
    any: 'Write log_softmax(logits) gathered at the tokens: natural logarithm, minus sign, float32. Mask out what the policy did not draw ("mask": 0).',
    trl: 'per_token_logps come of selective_log_softmax.',
    verl: 'old_log_probs come of logprobs_from_logits.',
    slime: 'log_probs are negative; the loss negates them later.',
  },
  sources: ['p <= 1'],
  hides: [],
  shows: null,
  look(e, { impossible }) {
    const columns = [...impossible.values()].sort(
      (a, b) => b.responses - a.responses || (a.name < b.name ? -1 : 1),
    );
    const [told] = columns;
    const left = columns.reduce((sum, { responses }) => sum + responses, 0);
    const all = left + e.count('responses');
    const share = e.share(left, all);
    if (told === undefined) {
      return { found: false, statistic: 0, interval: share.interval, figures: [], carriers: [] };
    }
    const { kind, text } = whatColumnIs(told);
    const { at, step, group, token } = told.first;
    const { least, most, sum, n } = told.range;
    return {
      found: true,
      statistic: share.value,
      interval: share.interval,
      title: `"${told.name}" ${TITLES[kind]}`,
      cause: `${text.charAt(0).toUpperCase()}${text.slice(1)}`,
      adds: `It is so in ${counted(told.responses, 'response')} of ${all.toLocaleString('en-US')}; ${left === all ? 'none is left to compute anything of' : 'they are left out of everything else'}.`,
      figures: columns
        .map(({ name, responses }) => count(`responses with such values in "${name}"`, responses))
        .concat([
          count('such values', told.bad),
          number('smallest value there', least),
          number('largest', most),
          number('mean', sum / n),
        ]),
      carriers: [
        {
          at,
          step,
          group,
          sample: null,
          tokens: [token, token + 1],
          score: 1,
          excerpt: null,
        },
      ],
      firstStep: null,
    };
  },
});
