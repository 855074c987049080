/**
 * Verdicts of a growing run. A verdict that was given is kept, with the number of prompts at which it was: its interval
 * was valid at that look as at any other, and what has been said is not taken back because a later interval is wider
 * by chance. The interval that stands beside it is always today's.
 *
 * Contract: one object per run; claims are changed in place before they leave the engine.
 */
import type { Verdicts } from '../../experiments/experiment';
import { worst, type Claim } from '../../experiments/shared/claim';

type Given = Pick<Claim, 'verdict' | 'detected' | 'clusters'>;

export class GivenVerdicts {
  private readonly known = new Map<string, Given>();

  /** @param result whose claims are judged at this look */
  keep(experiment: string, settings: unknown, result: Verdicts): void {
    const before = new Map(result.claims.map(({ id, verdict }) => [id, verdict]));
    for (const claim of result.claims) {
      const key = `${experiment} ${JSON.stringify(settings)} ${claim.id}`;
      const given = this.known.get(key);
      if (given === undefined) {
        const { verdict, detected, clusters } = claim;
        // an identity is checked anew on every response: it has nothing to keep
        const decided = claim.working !== null && (verdict === 'holds' || verdict === 'fails');
        if (decided) this.known.set(key, { verdict, detected, clusters });
      } else if (claim.clusters < given.clusters) {
        // an earlier look that was answered late
      } else if (claim.verdict !== given.verdict) {
        claim.verdict = given.verdict;
        claim.detected = given.detected;
        claim.keptFrom = given.clusters;
        claim.settledBy = null;
      }
    }
    if (result.claims.some(({ id, verdict }) => before.get(id) !== verdict)) {
      const deciding = result.claims.filter(({ id }) => result.deciding.includes(id));
      result.verdict = worst(deciding.map(({ verdict }) => verdict));
    }
  }
}
