/** What the commands share: how they refuse, where they run and write, how progress and claims are printed. */
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import type { EngineClient } from '../src/engine/lab/client';
import type { Claim } from '../src/experiments/experiment';
import type { Setting } from '../src/settings/setting';
import { ROOT } from './node/ort';
import { withPage, WORKERS } from './page';

/** The command cannot run as asked; the message is a sentence. */
export class CommandError extends Error {}

/** Minutes of work end in this file, so it is tried first. */
export async function checkWritable(option: string, file: string): Promise<void> {
  const folder = dirname(resolve(file));
  await access(folder, constants.W_OK).catch(() => {
    throw new CommandError(`${option} ${file}: the folder ${folder} cannot be written to.`);
  });
}

/** The same for a folder, which is made where there is none. */
export async function makeFolder(option: string, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new CommandError(`${option} ${folder}: the folder cannot be written to.`, { cause });
  }
}

export async function appVersion(): Promise<string> {
  const text = await readFile(new URL('package.json', ROOT), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export const digits = (x: number) => (x === 0 ? '0' : x.toPrecision(4));

/** Beside a claim that is open, where more than a million prompts are wanted. */
export const OUT_OF_REACH =
  'a million prompts would not settle it: the estimate lies at an edge of the margin';

/** What would settle a claim that is open: prompts, or blocks of steps of a race, and how long they take. */
function settling(
  { settledBy, clusters, nOf, verdict, interval }: Claim,
  seconds: number | null,
): string[] {
  if (interval === null || (verdict !== 'undecided' && verdict !== 'departs')) return [];
  if (settledBy === null) return [OUT_OF_REACH];
  if (nOf === 'steps') return [`about ${settledBy} blocks of steps would settle it`];
  const time =
    seconds === null ? '' : `, ${Math.ceil((seconds * settledBy) / clusters)} s at this speed`;
  return [`about ${settledBy} prompts would settle it${time}`];
}

/**
 * @param line of a ledger, where it may rest on recorded curves
 * @param seconds that sampling took, where that says how long it would take to settle the claim
 */
export function claimLines(
  line: Claim & { recorded?: boolean },
  seconds: number | null = null,
): string[] {
  const { id, claim, prediction, measured, interval, n, nOf, verdict } = line;
  const value = measured === null ? 'not defined' : digits(measured);
  const ends = interval ? ` [${interval.map(digits).join(', ')}]` : '';
  const predicted = prediction === null ? '' : `predicted ${digits(prediction)}, `;
  const { margin, detected, note } = line;
  const edge = (x: number | null) => (x === null ? 'open' : digits(x));
  const within = margin === null ? '' : `, margin ${margin.map(edge).join(' to ')}`;
  const more = [
    ...(detected ? ['detected, too small to matter'] : []),
    ...settling(line, seconds),
    ...(note === null ? [] : [note]),
  ];
  return [
    `  ${verdict.padEnd(8)} ${id}${line.recorded ? ' (recorded while training)' : ''}`,
    `           ${claim}`,
    `           ${predicted}measured ${value}${ends}, n = ${n} ${nOf}${within}`,
    ...more.map((words) => `           ${words}`),
  ];
}

/** A flag that is a setting of the lab: its default and what it may be are those of the declaration. */
export function flagValue<T>(flag: string, setting: Setting<T>, text: string | undefined): T {
  if (text === undefined) return setting.fallback;
  const value = setting.read(text);
  if (value === undefined) throw new CommandError(`${flag} takes ${setting.may}, not "${text}".`);
  return value;
}

/** Where a command runs: a person at a screen may leave it open, a command may not. */
export function readBackend(text: string): 'webgpu' | 'wasm' {
  if (text === 'webgpu' || text === 'wasm') return text;
  throw new CommandError(`--backend takes webgpu or wasm, not "${text}".`);
}

/** At most one line every five seconds, and one for each new phase. */
export class ProgressLines {
  private shown = 0;
  private phase = '';

  constructor(private readonly complain: (line: string) => void) {}

  say(phase: string, line: string, etaSeconds: number | null): void {
    if (phase === this.phase && Date.now() - this.shown < 5000) return;
    this.shown = Date.now();
    this.phase = phase;
    const eta = etaSeconds === null ? '' : `, about ${Math.round(etaSeconds)} s left`;
    this.complain(line + eta);
  }
}

/** The client's engine is closed however the work ends. */
export async function withClient<T>(
  client: EngineClient,
  work: (client: EngineClient) => Promise<T>,
): Promise<T> {
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/**
 * The same work in headless Chromium.
 * @param work calls one of `window.commands` (`command-page/page.ts`)
 */
export function inBrowser<T extends object, Progress extends object>(
  progress: (progress: Progress) => void,
  work: (page: Page) => Promise<T | { message: string }>,
): Promise<T> {
  const folder = 'scripts/command-page';
  return withPage(`${folder}/index.html`, [`${folder}/page.ts`, ...WORKERS], async (page, url) => {
    page.setDefaultTimeout(0);
    await page.exposeFunction('progressed', progress);
    await page.goto(url);
    await page.waitForFunction(() => 'commands' in window);
    const end = await work(page);
    if ('message' in end) throw new CommandError(end.message);
    return end;
  });
}
