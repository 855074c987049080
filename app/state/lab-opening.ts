/**
 * The lab's way to an engine that is open: backend, policies, and a draft that fits them. Contract: a
 * failure is a state with a and opening again tries again.
 */
import { t } from '@lingui/core/macro';
import { message } from '../../src/message';
import {
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  readOwnId,
  type BackendChoice,
} from '../../src/settings/run';
import type { BackendInfo } from '../../src/engine/lab/protocol';
import type { PolicyManifest } from '../../src/policy/manifest';
import { draftOf, type Draft } from './draft';
import { type Engine, type LabStore } from './lab-state';

/** Own checkpoints that the draft names and nobody has added yet, by id. */
export function missingOwn(draft: Draft, policies: readonly PolicyManifest[]): string[] {
  if (draft.kind !== 'policies') return [];
  const { policy, old, new: theta } = draft.policies;
  const known = policies.find(({ name }) => name === policy)?.checkpoints ?? [];
  return [...new Set([old, theta])].filter(
    (id) => readOwnId(id) !== null && !known.some((checkpoint) => checkpoint.id === id),
  );
}

export class Opener {
  private openedFor: BackendChoice | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
  ) {}

  /** Finds the draft's backend and the policies. */
  async open(): Promise<boolean> {
    const { backend } = this.store.getState().draft;
    this.store.setState({ opening: { status: 'opening' } });
    try {
      const { backend: info, policies: shipped } = await this.engine.open(backend);
      let policies = shipped;
      // A fresh worker does not know the person's own files; an old one takes them again at no cost.
      for (const { policy, name, file } of this.store.getState().own) {
        policies = (await this.engine.adopt(policy, name, file)).policies;
      }
      this.openedFor = backend;
      this.store.setState({ opening: { status: 'open', backend: info, policies } });
      this.fitDraft(policies);
      return true;
    } catch (error) {
      this.store.setState({ opening: { status: 'failed', message: message(error) } });
      return false;
    }
  }

  /** The same, unless this backend is the one that is open. */
  async openFor(backend: BackendChoice): Promise<boolean> {
    return this.openedFor === backend || this.open();
  }

  async adopt(policy: string, name: string, file: Blob): Promise<string> {
    const { id, policies } = await this.engine.adopt(policy, name, file);
    const { own, opening } = this.store.getState();
    this.store.setState({
      own: [...own.filter((other) => other.id !== id), { id, policy, name, file }],
      ...(opening.status === 'open' ? { opening: { ...opening, policies } } : {}),
    });
    return id;
  }

  /** What the engine works on now: a GPU was checked. */
  found(backend: BackendInfo): void {
    const { opening } = this.store.getState();
    if (opening.status === 'open') this.store.setState({ opening: { ...opening, backend } });
  }

  restoreDefaults(): void {
    const { draft } = this.store.getState();
    this.store.setState({
      draft: draftOf(DEFAULT_SETTINGS),
      undo: {
        message: t`The setup is at its defaults.`,
        act: () => this.store.setState({ draft }),
      },
    });
    const { opening } = this.store.getState();
    if (opening.status === 'open') this.fitDraft(opening.policies);
  }

  /** A draft may name a policy or checkpoint that this site does not ship. */
  private fitDraft(policies: readonly PolicyManifest[]): void {
    const { draft } = this.store.getState();
    if (draft.kind !== 'policies') return;
    const policy = policies.find(({ name }) => name === draft.policies.policy) ?? policies[0];
    if (policy === undefined) {
      this.store.setState({
        draft: draftOf({ backend: draft.backend, source: DEFAULT_SYNTHETIC }, draft),
        notice: t`No policy is shipped with this site, so the rollouts are synthetic.`,
      });
      return;
    }
    // A person's own checkpoint, named by a link, is asked for; anything else that is missing is replaced.
    const asked = policy.name === draft.policies.policy ? missingOwn(draft, policies) : [];
    const shipped = (id: string) =>
      policy.checkpoints.some((checkpoint) => checkpoint.id === id) || asked.includes(id);
    if (
      policy.name === draft.policies.policy &&
      shipped(draft.policies.old) &&
      shipped(draft.policies.new)
    ) {
      return;
    }
    const named = new Set([draft.policies.old, draft.policies.new]);
    const unknown = [...named].filter((id) => !shipped(id));
    this.store.setState({
      draft: {
        ...draft,
        policies: { ...draft.policies, policy: policy.name, ...policy.defaultPair },
      },
      notice: t`There is no ${unknown.map((id) => `“${id}”`).join(' and no ')} here; ${policy.defaultPair.old} and ${policy.defaultPair.new} are used instead.`,
    });
  }
}
