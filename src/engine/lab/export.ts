/** Rollouts as a file, written piece by piece so that the worker stays responsive and memory small. */
import { sequencesCsv, tokensCsv } from '../../export/rollouts-csv';
import { runJson, type RunFileHead } from '../../export/run-json';
import type { Rollouts } from '../../rollouts/rollouts';
import type { ExportKind } from './protocol';

/** characters that make one part of the blob; the browser may put parts on disk */
const PART = 2 ** 20;

function chunksOf(kind: ExportKind, rollouts: Rollouts, head: RunFileHead): Generator<string> {
  switch (kind) {
    case 'sequences':
      return sequencesCsv(rollouts, head.stamp);
    case 'tokens':
      return tokensCsv(rollouts, head.stamp);
    case 'run':
      return runJson(rollouts, head);
    default:
      return kind satisfies never;
  }
}

const FILES: Record<ExportKind, { suffix: string; type: string }> = {
  sequences: { suffix: 'sequences.csv', type: 'text/csv' },
  tokens: { suffix: 'tokens.csv', type: 'text/csv' },
  run: { suffix: 'run.json', type: 'application/json' },
};

/** Letters, digits and dashes of a person's name for the run. */
function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[^a-zA-Z0-9.]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60)
    .toLowerCase();
}

export async function writeFile(
  kind: ExportKind,
  rollouts: Rollouts,
  head: RunFileHead,
): Promise<{ name: string; blob: Blob }> {
  const parts: Blob[] = [];
  let text = '';
  for (const chunk of chunksOf(kind, rollouts, head)) {
    text += chunk;
    if (text.length < PART) continue;
    parts.push(new Blob([text]));
    text = '';
    // Requests are handled in between; a microtask would not let them.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const { suffix, type } = FILES[kind];
  const { stamp } = head;
  const title = slug(head.name ?? '') || `${slug(stamp.source)}-seed-${stamp.seed ?? 'none'}`;
  return { name: `gspo-lab-${title}.${suffix}`, blob: new Blob([...parts, text], { type }) };
}
