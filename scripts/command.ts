/** What the commands share: how they refuse, where they write, how a claim is printed. */
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Claim } from '../src/experiments/experiment';
import { ROOT } from './node/ort';

/** The command cannot run as asked; the message is a sentence. */
export class CommandError extends Error {}

export const sentence = (error: unknown) =>
  error instanceof Error ? error.message : String(error);

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

/** @param line of a ledger, where it may rest on recorded curves */
export function claimLines(line: Claim & { recorded?: boolean }): string[] {
  const { id, claim, prediction, measured, interval, n, nOf, verdict } = line;
  const value = measured === null ? 'not defined' : digits(measured);
  const ends = interval ? ` [${interval.map(digits).join(', ')}]` : '';
  const predicted = prediction === null ? '' : `predicted ${digits(prediction)}, `;
  return [
    `  ${verdict.padEnd(8)} ${id}${line.recorded ? ' (recorded while training)' : ''}`,
    `           ${claim}`,
    `           ${predicted}measured ${value}${ends}, n = ${n} ${nOf}`,
  ];
}
