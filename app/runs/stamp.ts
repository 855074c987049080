/** The stamp of what is in view, for files that the page itself writes: figures, tables, the ledger. */
import { t } from '@lingui/core/macro';
import { policyHashes, factsOf } from '../../src/engine/stamp';
import type { Stamp } from '../../src/export/stamp';
import { openLink, writeLink } from '../../src/link/link';
import type { RunSettings } from '../../src/settings/run';
import { sourceName } from '../state/imports';
import type { LabState } from '../state/lab';
import type { Recording } from '../state/recording';
import { VERSION } from '../version';

/** Address that opens these settings again, on the page in view with its choices. */
export function linkTo(settings: RunSettings): string {
  const { link } = openLink(location.hash);
  const address = new URL(location.href);
  address.hash = writeLink({ ...link, run: settings, fingerprint: null }, { dated: true });
  return address.href;
}

/** Address of the page in view with its choices; for pages whose numbers are not of the run in view. */
export function linkOfPage(): string {
  const { link } = openLink(location.hash);
  return linkTo(link.run);
}

/** A file that the lab itself had written says what was run. */
function sourceOf(run: LabState['run']): string {
  const kind = run?.settings?.source.kind;
  if (!run?.imported) return kind ?? 'none';
  const file = sourceName(run.imported);
  return kind === undefined ? `files: ${file}` : t`${kind}, kept in ${file}`;
}

export function stampOfView({ run, opening }: Pick<LabState, 'run' | 'opening'>): Stamp {
  const settings = run?.settings ?? null;
  const shipped = opening.status === 'open' ? opening.policies : [];
  const here = opening.status === 'open' ? factsOf(opening.backend) : null;
  return {
    app: VERSION,
    exportedAt: new Date().toISOString(),
    source: sourceOf(run),
    link: settings === null ? null : linkTo(settings),
    seed: settings?.source.seed ?? null,
    settings,
    policies: run?.reopened?.policies ?? (settings === null ? [] : policyHashes(settings, shipped)),
    // Files say nothing about where their numbers were made.
    backend: run?.reopened ? run.reopened.backend : run?.imported ? null : here,
  };
}

/** Of the run that is shown before there is one of the person's own. */
export function stampOfRecorded({ settings, file, recordedAt, backend }: Recording): Stamp {
  return {
    app: VERSION,
    exportedAt: new Date().toISOString(),
    source: t`recorded run shipped with the lab, ${recordedAt}${file === null ? '' : `, of ${file}`}`,
    link: settings === null ? null : linkTo(settings),
    seed: settings?.source.seed ?? null,
    settings,
    // The file does not say them, and those of today may be others.
    policies: [],
    backend: factsOf(backend),
  };
}

/** "gspo-lab-variance-of-log-s-against-length-seed-1.svg" */
export function fileName(title: string, { seed }: Stamp, ending: string): string {
  const words = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const from = seed === null ? '' : `-seed-${seed}`;
  return `gspo-lab-${words.replaceAll(/^-|-$/g, '').slice(0, 60)}${from}.${ending}`;
}
