/** The objectives as charts show them: one name and one colour each, on every page. */
import type { ObjectiveId } from '../../src/math/objectives/registry';

export interface ObjectiveView {
  name: string;
  /** CSS custom property */
  colour: string;
}

const VIEWS: Record<ObjectiveId, ObjectiveView> = {
  grpo: { name: 'GRPO', colour: '--series-grpo' },
  gspo: { name: 'GSPO', colour: '--series-gspo' },
  gmpo: { name: 'GMPO', colour: '--series-gmpo' },
  rloo: { name: 'RLOO', colour: '--series-rloo' },
  dapo: { name: 'DAPO', colour: '--series-dapo' },
  luspo: { name: 'LUSPO', colour: '--series-luspo' },
  cispo: { name: 'CISPO', colour: '--series-cispo' },
  sapo: { name: 'SAPO', colour: '--series-sapo' },
  gspo_token: { name: 'GSPO-token', colour: '--series-gspo-token' },
  two_sided: { name: 'GRPO, two-sided', colour: '--series-two-sided' },
  dr_grpo: { name: 'Dr.GRPO', colour: '--series-dr-grpo' },
  vespo: { name: 'VESPO', colour: '--series-vespo' },
  reinforce: { name: 'REINFORCE', colour: '--series-reinforce' },
  dppo_tv: { name: 'DPPO-TV', colour: '--series-dppo-tv' },
  dppo_kl: { name: 'DPPO-KL', colour: '--series-dppo-kl' },
  dro: { name: 'DRO', colour: '--series-dro' },
};

export function objectiveView(id: ObjectiveId): ObjectiveView {
  return VIEWS[id];
}

/** A clip range as papers write it: 3 × 10⁻⁴ as "3e-4", 0.2 as "0.2". */
export function epsilonText(epsilon: number): string {
  return epsilon !== 0 && epsilon < 0.001 ? epsilon.toExponential() : String(epsilon);
}

/** "3e-4 / 4e-4"; where there is no lower edge, "none / 4" */
export function bandText({ low, high }: { low: number | null; high: number }): string {
  return `${low === null ? 'none' : epsilonText(low)} / ${epsilonText(high)}`;
}
