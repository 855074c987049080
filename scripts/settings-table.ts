/** `docs/settings.md`: every setting that a link may hold, from the declarations. */
import { format } from 'prettier';
import { PAGE_IDS, pageSettings } from '../src/link/pages';
import { runSettings } from '../src/settings/run';
import type { Setting } from '../src/settings/setting';

const HEAD = `# Settings

Made from the declarations in \`src/settings/\` and \`src/link/pages.ts\` by \`npx vitest run
scripts/settings-table.test.ts -u\`. A link is \`#/PAGE?v=3&NAME=VALUE&...\`; what it leaves out has the default.
Pages without settings of their own are left out.
`;

const cell = (text: string) => text.replaceAll('|', '\\|');

function rowOf({ name, label, alone, symbol, may, write, fallback, unit, hint }: Setting): string {
  const about = [`${alone ?? label}${symbol === undefined ? '' : ` ${symbol}`}`];
  if (hint !== undefined && hint !== unit) about.push(hint);
  const value = unit === undefined ? may : `${may}, ${unit}`;
  return `| \`${name}\` | ${cell(about.join(': '))} | ${cell(value)} | \`${cell(write(fallback)).replaceAll('\n', ' ⏎ ')}\` |`;
}

function table(title: string, settings: Iterable<Setting>): string {
  const rows = [...settings].map(rowOf);
  if (rows.length === 0) return '';
  const head = ['| name | what it is | may be | default |', '| --- | --- | --- | --- |'];
  return `\n## ${title}\n\n${[...head, ...rows].join('\n')}\n`;
}

export async function settingsMarkdown(): Promise<string> {
  const sources = (['policies', 'synthetic', 'models'] as const).map((kind) =>
    table(`A run, \`source=${kind}\``, runSettings(kind)),
  );
  const pages = PAGE_IDS.map((page) => table(`Page \`${page}\``, pageSettings(page).values()));
  return format([HEAD, ...sources, ...pages].join(''), {
    parser: 'markdown',
    proseWrap: 'preserve',
  });
}
