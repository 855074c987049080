/**
 * "Break it": buttons that load a setting under which a prediction must fail (or, as a control, must
 * not) and run it. Contract: what the person chose for the other source stays; nothing is loaded that
 * the setup panel does not show.
 */
import {
  DEFAULT_POLICIES,
  DEFAULT_SYNTHETIC,
  type PoliciesSource,
  type SyntheticSource,
} from '../../src/settings/run';
import type { ReactNode } from 'react';
import { draftOf, type Draft } from '../state/draft';
import { useLab, useLabState } from '../state/react';

export interface Break {
  title: string;
  why: ReactNode;
  change: (draft: Draft) => Draft;
}

/** The synthetic source with known truth, defaults but for `change`. */
export function synthetic(change: Partial<Omit<SyntheticSource, 'kind'>>) {
  return (draft: Draft): Draft =>
    draftOf({ backend: draft.backend, source: { ...DEFAULT_SYNTHETIC, ...change } }, draft);
}

/** The person's policy pair, everything else default but for `change`. */
export function policies(change: Partial<Omit<PoliciesSource, 'kind' | 'policy' | 'old' | 'new'>>) {
  return (draft: Draft): Draft => {
    const { policy, old, new: theta } = draft.policies;
    const source = { ...DEFAULT_POLICIES, ...change, policy, old, new: theta };
    return draftOf({ backend: draft.backend, source }, draft);
  };
}

export function BreakIt({ lead, breaks }: { lead: ReactNode; breaks: readonly Break[] }) {
  const lab = useLab();
  const ready = useLabState((state) => state.opening.status === 'open');
  return (
    <section>
      <h2>Break it</h2>
      <p>{lead}</p>
      <ul className="breaks">
        {breaks.map(({ title, why, change }) => (
          <li key={title}>
            <button
              type="button"
              className="button"
              disabled={!ready}
              onClick={() => {
                lab.edit(change);
                void lab.start();
              }}
            >
              {title}
            </button>
            <span>{why}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
