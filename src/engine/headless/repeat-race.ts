/**
 * A link to a race, trained again without a page: `npm run experiment`, through the same `TrainingClient`.
 * Contract: strings in, plain JSON data out; what the link asks for is read by `openLink` alone; rejects
 * with a sentence. A start that a person brought cannot be had here.
 */
import type { Stamp } from '../../export/stamp';
import { openLink, writeLink } from '../../link/link';
import type { PageSettings } from '../../link/pages';
import {
  comparisonOf,
  raceResultOf,
  type RaceComparison,
  type RaceResult,
} from '../../link/race-result';
import { trainingOf, type TrainingSettings } from '../../settings/training';
import type { PolicyManifest } from '../../policy/manifest';
import type { RaceProgress } from '../../training/race';
import type { StepReport } from '../../training/report';
import type { BackendInfo } from '../lab/protocol';
import type { RepeatOptions } from './repeat-link';
import { factsOf, raceHashes } from '../stamp';
import type { TrainingClient } from '../trainer/client';

export type RaceOptions = Omit<RepeatOptions, 'files'>;

export interface RaceRepetition {
  stamp: Stamp;
  /** address that opens the race again, with what was found */
  link: string;
  /** what of the link was not understood, and what was used instead; sentences */
  problems: string[];
  settings: TrainingSettings;
  seconds: number;
  /** by racer */
  reports: StepReport[][];
  found: RaceResult;
  /** null: the link does not say what its race found */
  comparison: RaceComparison | null;
}

/** True where the link asks for a race: `repeatLink` would have nothing to measure. */
export function isRace(hash: string): boolean {
  return openLink(hash).link.page === 'train';
}

interface Ended {
  backend: BackendInfo;
  /** first 32 bits of the hash of all claims */
  claims: number;
  seconds: number;
  reports: StepReport[][];
}

function train(
  client: TrainingClient,
  settings: TrainingSettings,
  onProgress: (progress: RaceProgress) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let backend: BackendInfo | null = null;
    let claims = 0;
    const reports: StepReport[][] = settings.racers.map(() => []);
    const race = client.start(settings);
    const unsubscribe = client.subscribe((event) => {
      if (!('race' in event) || event.race !== race) return;
      if (event.type === 'backend') ({ backend, claims } = event);
      if (event.type === 'trained') reports[event.racer]?.push(event.report);
      if (event.type === 'progress') onProgress(event.progress);
      const over = event.type === 'progress' && event.progress.phase === 'finished';
      if (event.type !== 'failed' && !over) return;
      unsubscribe();
      if (event.type === 'failed') reject(new Error(event.message));
      else if (backend !== null) {
        resolve({ backend, claims, seconds: event.progress.seconds, reports });
      }
    });
  });
}

/** @throws what stopped it; a sentence */
export async function repeatRace(
  client: TrainingClient,
  { app, address, hash, backend: wanted }: RaceOptions,
  shipped: readonly PolicyManifest[],
  onProgress: (progress: RaceProgress) => void,
): Promise<RaceRepetition> {
  const { link, problems } = openLink(hash);
  // Of the page `train` (see `isRace`), whose view this is.
  const view = link.view as PageSettings<'train'>;
  const asked = trainingOf(view);
  if (typeof asked === 'string') throw new Error(asked);
  if (asked.start.startsWith('own-')) {
    throw new Error(
      `The race starts from "${asked.start}", a checkpoint of whoever made the link. Add that file on the Train page.`,
    );
  }
  const settings = { ...asked, backend: wanted ?? asked.backend };
  const { backend, claims, seconds, reports } = await train(client, settings, onProgress);
  const found = raceResultOf(backend.policy, claims, settings, reports);
  const write = (what: RaceResult | null) =>
    `${address}${writeLink({ ...link, fingerprint: null, view: { ...view, found: what } }, { dated: true })}`;
  const names = settings.racers.map(({ objective }) => objective).join(', ');
  return {
    stamp: {
      app,
      exportedAt: new Date().toISOString(),
      source: `race of ${names} from ${settings.policy}, ${settings.start}`,
      link: write(null),
      seed: settings.seed,
      settings: null,
      policies: raceHashes(settings, shipped),
      backend: factsOf(backend),
    },
    link: write(found),
    problems,
    settings,
    seconds,
    reports,
    found,
    comparison: view.found && comparisonOf(view.found, found),
  };
}
