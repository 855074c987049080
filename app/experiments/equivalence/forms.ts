/** The three forms of the sequence weight as the page shows them: one colour, one mark, one name each. */
import type { Overlaid } from '../../charts/shapes';
import type { Cloud } from '../../charts/PointCloud';
import type { Form } from '../../../src/experiments/equivalence';

export interface FormView {
  form: Form;
  name: string;
  /** TeX, without the leading `s =` */
  tex: string;
  /** CSS custom property */
  colour: string;
  shape: Cloud['shape'];
}

export const FORM_VIEWS: readonly FormView[] = [
  {
    form: 'geometric',
    name: 'Geometric mean',
    tex: String.raw`\Bigl(\prod_t r_t\Bigr)^{1/L}`,
    colour: '--form-geometric',
    shape: 'circle',
  },
  {
    form: 'perplexity',
    name: 'Perplexity ratio',
    tex: String.raw`\frac{\mathrm{PPL}_\text{old}}{\mathrm{PPL}_\theta}`,
    colour: '--form-perplexity',
    shape: 'square',
  },
  {
    form: 'entropy',
    name: 'Cross-entropy change',
    tex: String.raw`e^{H_\text{old} - H_\theta}`,
    colour: '--form-entropy',
    shape: 'triangle',
  },
];

/** What every figure of the page is handed. */
export interface FigureData<Result> {
  result: Result;
  recorded: boolean;
  /** axes start afresh when it changes */
  axesKey: string;
  /** none over a recorded run */
  overlays: readonly Overlaid<Result>[];
}
