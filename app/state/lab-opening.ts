/**
 * The lab's way to an engine that is open: backend, policies, and a draft that fits them. Contract: a
 * failure is a state with a sentence, and opening again tries again.
 */
import { DEFAULT_SETTINGS, DEFAULT_SYNTHETIC, type BackendChoice } from '../../src/link/settings';
import type { PolicyManifest } from '../../src/policy/manifest';
import { draftOf } from '../setup/draft';
import { sentence, type Engine, type LabStore } from './lab-state';

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
      const opened = await this.engine.open(backend);
      this.openedFor = backend;
      this.store.setState({ opening: { status: 'open', ...opened } });
      this.fitDraft(opened.policies);
      return true;
    } catch (error) {
      this.store.setState({ opening: { status: 'failed', message: sentence(error) } });
      return false;
    }
  }

  /** The same, unless this backend is the one that is open. */
  async openFor(backend: BackendChoice): Promise<boolean> {
    return this.openedFor === backend || this.open();
  }

  restoreDefaults(): void {
    const { draft } = this.store.getState();
    this.store.setState({
      draft: draftOf(DEFAULT_SETTINGS),
      undo: {
        message: 'The setup is at its defaults.',
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
        notice: 'No policy is shipped with this site, so the rollouts are synthetic.',
      });
      return;
    }
    const shipped = (id: string) => policy.checkpoints.some((checkpoint) => checkpoint.id === id);
    if (
      policy.name === draft.policies.policy &&
      shipped(draft.policies.old) &&
      shipped(draft.policies.new)
    ) {
      return;
    }
    this.store.setState({
      draft: {
        ...draft,
        policies: { ...draft.policies, policy: policy.name, ...policy.defaultPair },
      },
    });
  }
}
