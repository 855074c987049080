/**
 * `npm run experiment -- 'LINK'` where the link is one of the Train page: trains the race again, prints its
 * curves in short and whether it came out as the link says. Contract: as `experiment.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  repeatRace,
  type RaceOptions,
  type RaceRepetition,
} from '../src/engine/headless/repeat-race';
import type { TrainingClient } from '../src/engine/trainer/client';
import { csvHead, csvRow, numberCell } from '../src/export/csv';
import { fetchCatalogue, type FileSource } from '../src/policy/fetch';
import type { RaceProgress } from '../src/training/race';
import type { StepReport } from '../src/training/report';
import { inBrowser, ProgressLines } from './command';

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function progressTo(complain: (line: string) => void): (progress: RaceProgress) => void {
  const lines = new ProgressLines(complain);
  return ({ phase, stepsDone, totalSteps, etaSeconds }) =>
    lines.say('', `${phase}, ${stepsDone} of ${totalSteps} steps`, etaSeconds);
}

export interface RaceRunner {
  client: TrainingClient;
  files: FileSource;
}

/** @param runner of the race in Node; WebGPU is reached in headless Chromium */
export async function runRace(
  options: RaceOptions,
  runner: RaceRunner,
  complain: (line: string) => void,
): Promise<RaceRepetition> {
  const progress = progressTo(complain);
  if (options.backend === 'webgpu') {
    return inBrowser<RaceRepetition, RaceProgress>(progress, (page) =>
      page.evaluate((o) => window.commands.race(o), options),
    );
  }
  const { client, files } = runner;
  try {
    return await repeatRace(client, options, await fetchCatalogue(files), progress);
  } finally {
    client.close();
  }
}

function lineOf({ step, reward, clip, heldOut, gradientNorm }: StepReport): string {
  const clipped = (value: number | null) => (value === null ? 'none' : percent(value));
  const judged = heldOut === null ? '' : `, held out ${percent(heldOut.correct / heldOut.prompts)}`;
  return (
    `  step ${String(step).padStart(4)}  reward ${percent(reward)}, clipped ${clipped(clip.trl)} (TRL) ` +
    `${clipped(clip.verl)} (verl), gradient norm ${gradientNorm.toPrecision(3)}${judged}`
  );
}

/** so many steps of a racer are printed; all of them go into the files */
const SHOWN = 12;

function printComparison(
  { comparison }: RaceRepetition,
  names: readonly string[],
  print: (line: string) => void,
): void {
  if (comparison === null) {
    print('The link does not say what its race found, so there is nothing to compare with.');
    return;
  }
  print(comparison.same ? 'The same as in the link.' : 'NOT the same as in the link.');
  if (comparison.otherClaims !== null) print(`  ${comparison.otherClaims}`);
  if (comparison.racers === null) print('  The link’s race had another number of racers.');
  comparison.racers?.forEach(({ sameCurve, shares }, i) => {
    const asked = comparison.sameBackend ? '' : ' (not asked: the link’s race ran elsewhere)';
    print(
      `  ${names[i]}: every reward and length ${sameCurve ? 'the same' : `not the same${asked}`}`,
    );
    for (const { what, link, here, tolerance } of shares) {
      const within = comparison.sameBackend ? 'none' : percent(tolerance);
      print(
        `  ${names[i]}: ${what} ${percent(link)} in the link, ${percent(here)} here, tolerance ${within}`,
      );
    }
  });
}

export function printRace(found: RaceRepetition, print: (line: string) => void): void {
  const { stamp, settings, reports, seconds, link } = found;
  const names = settings.racers.map(({ objective }) => objective);
  print(stamp.source);
  reports.forEach((steps, i) => {
    print(`${names[i]}:`);
    const every = Math.ceil(steps.length / SHOWN);
    steps
      .filter(({ step, heldOut }) => step % every === 0 || step === 1 || heldOut !== null)
      .forEach((step) => print(lineOf(step)));
  });
  print('');
  printComparison(found, names, print);
  print('');
  for (const { name, sha256 } of stamp.policies) print(`sha256 ${sha256}  ${name}`);
  print(`trained on ${stamp.backend?.policy}, ${seconds.toFixed(1)} s`);
  print(`GSPO Lab ${stamp.app}; this race as a link:`);
  print(link);
}

const COLUMNS: readonly [name: string, of: (step: StepReport) => number | null | undefined][] = [
  ['step', ({ step }) => step],
  ['updates', ({ updates }) => updates],
  ['reward', ({ reward }) => reward],
  ['held_out_correct', ({ heldOut }) => heldOut?.correct],
  ['held_out_prompts', ({ heldOut }) => heldOut?.prompts],
  ['entropy', ({ entropy }) => entropy],
  ['clip_trl', ({ clip }) => clip.trl],
  ['clip_verl', ({ clip }) => clip.verl],
  ['gradient_norm', ({ gradientNorm }) => gradientNorm],
  ['mean_length', ({ meanLength }) => meanLength],
  ['var_log_s', ({ weights }) => weights.variance],
  ['var_log_s_predicted', ({ weights }) => weights.predictedVariance],
  ['mean_log_s', ({ weights }) => weights.meanLogWeight],
];

/** One line per racer and step. */
export async function writeRaceCsv(found: RaceRepetition, folder: string): Promise<void> {
  const { stamp, settings, reports } = found;
  const rows = reports.flatMap((steps, i) =>
    steps.map((step) => [
      String(i + 1),
      settings.racers[i]?.objective ?? '',
      ...COLUMNS.map(([, of]) => numberCell(of(step))),
    ]),
  );
  const what = 'GSPO Lab, one line per racer and step';
  const head = csvHead(what, stamp, ['racer', 'objective', ...COLUMNS.map(([name]) => name)]);
  await writeFile(join(folder, 'gspo-lab-race.steps.csv'), head + rows.map(csvRow).join(''));
}
