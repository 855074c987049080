/** The stamp of what is in view, for files that the page itself writes: figures, tables, the ledger. */
import { policyHashes, factsOf } from '../../src/engine/stamp';
import type { Stamp } from '../../src/export/stamp';
import { openLink, writeLink } from '../../src/link/hash';
import type { RunSettings } from '../../src/link/settings';
import { sourceName } from '../state/imports';
import type { LabState } from '../state/lab';
import { VERSION } from '../version';

/** Address that opens these settings again, on the page in view with its choices. */
export function linkTo(settings: RunSettings): string {
  const { link } = openLink(location.hash);
  const address = new URL(location.href);
  address.hash = writeLink({ ...link, run: settings, fingerprint: null }, { dated: true });
  return address.href;
}

export function stampOfView({ run, opening }: Pick<LabState, 'run' | 'opening'>): Stamp {
  const settings = run?.settings ?? null;
  const shipped = opening.status === 'open' ? opening.policies : [];
  const here = opening.status === 'open' ? factsOf(opening.backend) : null;
  return {
    app: VERSION,
    exportedAt: new Date().toISOString(),
    source: run?.imported
      ? `files: ${sourceName(run.imported)}`
      : (settings?.source.kind ?? 'none'),
    link: settings === null ? null : linkTo(settings),
    seed: settings?.source.seed ?? null,
    settings,
    policies: run?.reopened?.policies ?? (settings === null ? [] : policyHashes(settings, shipped)),
    // Files say nothing about where their numbers were made.
    backend: run?.reopened ? run.reopened.backend : run?.imported ? null : here,
  };
}
