/** Kept runs in words: what they are, and how they differ from the one in view. Contract: pure. */
import { plural, t } from '@lingui/core/macro';
import type { LedgerHead } from '../../src/engine/headless/reproduce';
import type { KeptRun, ListedRun } from '../../src/engine/lab/protocol';
import {
  DEFAULT_MODELS,
  DEFAULT_POLICIES,
  DEFAULT_SYNTHETIC,
  runDifferences,
  type RunDifference,
  type RunSettings,
} from '../../src/settings/run';
import { bytes, count } from '../format/numbers';
import { i18n, said } from '../language/i18n';

/** "step-04200 → step-04400, α 0.5", "synthetic, ρ 0.5", "my-run.jsonl": tells runs apart where nothing else does */
export function sourceWords({ settings, files }: Pick<KeptRun, 'settings' | 'files'>): string {
  if (settings === null)
    return files.length === 1
      ? (files[0] as string)
      : plural(files.length, { one: '# file', other: '# files' });
  const { source } = settings;
  return [pairWords(source), ...unusual(settings)].join(', ');
}

function pairWords(source: RunSettings['source']): string {
  switch (source.kind) {
    case 'synthetic':
      return t`synthetic`;
    case 'policies':
      return `${source.policy}, ${source.old} → ${source.new}`;
    case 'models':
      return `${source.old} ${source.oldDtype} → ${source.new} ${source.newDtype}`;
  }
}

/** The defaults, of the pair that is named already. */
function usualOf(source: RunSettings['source']): RunSettings['source'] {
  switch (source.kind) {
    case 'synthetic':
      return DEFAULT_SYNTHETIC;
    case 'policies': {
      const { policy, old, new: theta } = source;
      return { ...DEFAULT_POLICIES, policy, old, new: theta };
    }
    case 'models': {
      const { old, oldDtype, new: theta, newDtype } = source;
      return { ...DEFAULT_MODELS, old, oldDtype, new: theta, newDtype };
    }
  }
}

/** "ρ 0.5", "seed 7": what is not as usual, beside the pair, which is named, and the machine. */
function unusual({ source }: RunSettings, most = 4): string[] {
  const found = runDifferences(
    { backend: 'auto', source: usualOf(source) },
    { backend: 'auto', source },
  );
  const shown = found.slice(0, most).map(({ name, after }) => `${said(name)} ${said(after)}`);
  return found.length > most ? [...shown, t`${found.length - most} more`] : shown;
}

/** "quick, seed 1, on wasm" */
export function ledgerWords({ size, seed, backend }: LedgerHead): string {
  const where = backend === 'webgpu' ? 'WebGPU' : 'WebAssembly';
  return size === 'full' ? t`full, seed ${seed}, on ${where}` : t`quick, seed ${seed}, on ${where}`;
}

/** What a kept run has that the one in view has not; null where they cannot be compared. */
export function differsBy(inView: RunSettings | null, kept: KeptRun): RunDifference[] | null {
  return inView === null || kept.settings === null ? null : runDifferences(inView, kept.settings);
}

/** "α 1 → 0.5, seed 1 → 2" */
export function differenceWords(found: readonly RunDifference[], most = 3): string {
  const shown = found
    .slice(0, most)
    .map(({ name, before, after }) => `${said(name)} ${said(before)} → ${said(after)}`);
  const rest = found.length - shown.length;
  return [...shown, ...(rest > 0 ? [t`${rest} more`] : [])].join(', ');
}

/** One short name: what a person called it, else the difference, else what it is and when it was made. */
export function labelOf(inView: RunSettings | null, kept: KeptRun): string {
  if (kept.name !== null) return kept.name;
  const found = differsBy(inView, kept);
  if (found !== null && found.length > 0) return differenceWords(found, 2);
  return `${found === null ? sourceWords(kept) : t`same settings`}, ${dateWords(kept.createdAt)}`;
}

/** In the reader's own time: "2 Jan, 03:04" */
export function dateWords(ms: number): string {
  return new Date(ms).toLocaleString(i18n.locale === 'en' ? 'en-GB' : i18n.locale, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
}

export function sizeWords({ sequences, totalSequences, tokens, bytes: size }: KeptRun): string {
  return sequences < totalSequences
    ? t`${count(sequences)} of ${count(totalSequences)} responses, ${count(tokens)} tokens, ${bytes(size)}`
    : t`${count(sequences)} responses, ${count(tokens)} tokens, ${bytes(size)}`;
}

export function stateWords(run: ListedRun): string {
  const { state, live, sequences, totalSequences } = run;
  if (live === 'elsewhere') return t`in another tab`;
  if (state === 'finished' || sequences >= totalSequences) return t`finished`;
  if (state === 'stopped') return t`stopped`;
  return live === 'here' ? t`under way` : t`cut off`;
}
