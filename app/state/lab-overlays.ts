/**
 * Kept runs that are laid over the charts of the present one: the engine evaluates the same experiment on
 * them, with the same settings. Contract: at most MAX_OVERLAYS; each keeps its place, and with it its mark
 * and dash, until it is taken away; an answer is asked for once per run, experiment and settings.
 */
import { t } from '@lingui/core/macro';
import { message } from '../../src/message';
import type { ExperimentId, ExperimentMap, KeptId } from '../../src/engine/lab/protocol';
import { type Engine, type LabStore, type OverlayAnswer } from './lab-state';

export const MAX_OVERLAYS = 5;

export class Overlays {
  /** the experiments in view and what they are asked with */
  private readonly wanted = new Map<ExperimentId, unknown>();
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    private readonly store: LabStore,
  ) {}

  /** Lays a run over the charts, or takes it away. */
  toggle(id: KeptId): void {
    const { overlays } = this.store.getState();
    if (overlays.some((overlay) => overlay.id === id)) return this.drop([id]);
    const free = Array.from({ length: MAX_OVERLAYS }, (_, slot) => slot).find(
      (slot) => !overlays.some((overlay) => overlay.slot === slot),
    );
    if (free === undefined) return;
    this.store.setState({ overlays: [...overlays, { id, slot: free }] });
    for (const experiment of this.wanted.keys()) this.ask(experiment);
  }

  drop(ids: readonly KeptId[]): void {
    this.store.setState(({ overlays, overlaid }) => ({
      overlays: overlays.filter(({ id }) => !ids.includes(id)),
      overlaid: Object.fromEntries(
        Object.entries(overlaid).map(([experiment, answers]) => [
          experiment,
          answers.filter(({ id }) => !ids.includes(id)),
        ]),
      ),
    }));
  }

  want<K extends ExperimentId>(experiment: K, settings: ExperimentMap[K]['settings']): void {
    this.wanted.set(experiment, settings);
    this.ask(experiment);
  }

  leave(experiment: ExperimentId): void {
    this.wanted.delete(experiment);
  }

  /** One after the other: the present run comes first. */
  private ask<K extends ExperimentId>(experiment: K): void {
    const settings = this.wanted.get(experiment) as ExperimentMap[K]['settings'];
    const key = JSON.stringify(settings);
    const due = ({ id }: { id: KeptId }) =>
      !this.answers(experiment).some((answer) => answer.id === id && answer.key === key);
    for (const { id } of this.store.getState().overlays.filter(due)) {
      this.work = this.work.then(async () => {
        if (!this.isWanted(experiment, key, id)) return;
        try {
          const result = await this.engine.experiment(id, experiment, settings);
          if (this.isWanted(experiment, key, id)) this.set(experiment, { id, key, result });
        } catch (error) {
          this.store.setState({
            notice: t`A kept run could not be laid over this chart. ${message(error)}`,
          });
        }
      });
    }
  }

  private isWanted(experiment: ExperimentId, key: string, id: KeptId): boolean {
    return (
      JSON.stringify(this.wanted.get(experiment)) === key &&
      this.store.getState().overlays.some((overlay) => overlay.id === id)
    );
  }

  private answers(experiment: ExperimentId): readonly OverlayAnswer[] {
    return this.store.getState().overlaid[experiment] ?? [];
  }

  private set(experiment: ExperimentId, answer: OverlayAnswer): void {
    const others = this.answers(experiment).filter(({ id }) => id !== answer.id);
    this.store.setState(({ overlaid }) => ({
      overlaid: { ...overlaid, [experiment]: [...others, answer] },
    }));
  }
}
