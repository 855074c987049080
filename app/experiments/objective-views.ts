/** The objectives as charts show them: one name and one colour each, on every page. */
import type { ObjectiveId } from '../../src/math/objectives/registry';

export interface ObjectiveView {
  name: string;
  /** CSS custom property */
  colour: string;
}

const VIEWS: Partial<Record<ObjectiveId, ObjectiveView>> = {
  grpo: { name: 'GRPO', colour: '--series-grpo' },
  gspo: { name: 'GSPO', colour: '--series-gspo' },
  gmpo: { name: 'GMPO', colour: '--series-gmpo' },
  rloo: { name: 'RLOO', colour: '--series-rloo' },
  dapo: { name: 'DAPO', colour: '--series-dapo' },
  luspo: { name: 'LUSPO', colour: '--series-luspo' },
  cispo: { name: 'CISPO', colour: '--series-cispo' },
  sapo: { name: 'SAPO', colour: '--series-sapo' },
};

export function objectiveView(id: ObjectiveId): ObjectiveView {
  return VIEWS[id] ?? { name: id, colour: '--ink-soft' };
}

/** A clip range as papers write it: 3 × 10⁻⁴ as "3e-4", 0.2 as "0.2". */
export function epsilonText(epsilon: number): string {
  return epsilon !== 0 && epsilon < 0.001 ? epsilon.toExponential() : String(epsilon);
}
