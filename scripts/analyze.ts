/**
 * `npm run analyze -- FILE... [--json OUT] [--html OUT] [--eps-low X --eps-high Y] [--correction C] [--what-if V]...
 * [--advantages RULE] [--mask NAME] [--skip-bad]`
 * `npm run analyze -- FILE... --partial OUT`, `npm run analyze -- --merge OUT...` on several machines
 *
 * The lab without a browser: reads token log-probs, prints the health report and every objective, writes the
 * figures as JSON. Exit status 1 with one sentence on stderr when something is wrong with the input.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ADVANTAGE_RULES, type AdvantageRule } from '../src/math/objectives/advantages';
import { CORRECTION_IDS } from '../src/math/diagnostics/corrections';
import { BATCH_IDS } from '../src/math/objectives/registry';
import {
  parseCorrection,
  parseVariant,
  VariantError,
  whatIf,
  type Variant,
} from '../src/experiments/objectives/what-if';
import { pageSettings } from '../src/link/pages';
import type { Setting } from '../src/settings/setting';
import { sequenceAnalyses } from '../src/rollouts/file/analysis';
import { correctedObjectives } from '../src/rollouts/file/corrected';
import type { Clip, Figures } from '../src/rollouts/file/figures';
import { ImpossibleError } from '../src/rollouts/file/impossible';
import { describeProblem, RolloutFileError } from '../src/rollouts/file/problems';
import type { FileRollouts } from '../src/rollouts/file/read';
import { TRAINERS } from '../src/rollouts/file/trainer-names';
import { healthJson, reportHtml } from '../src/rollouts/health/documents';
import {
  reportOf,
  type Figure,
  type Finding,
  type HealthReport,
} from '../src/rollouts/health/report';
import {
  AnalysisRun,
  areLarge,
  filesByStep,
  jsonLines,
  mergedParts,
  PartError,
  writeLines,
} from './analysis-run';
import { PathError, rolloutFiles } from './rollout-file';
import { whatIfJson, whatIfLines } from './what-if';
import { message } from '../src/message';

const DATA = pageSettings('data');
const SETTINGS = {
  low: DATA.get('epsLow') as Setting<number | null>,
  high: DATA.get('epsHigh') as Setting<number | null>,
  rule: DATA.get('rule') as Setting<AdvantageRule>,
};

export const USAGE = `Usage: npm run analyze -- FILE... [options]

FILE            JSONL, JSON or Parquet, also packed with gzip, zstd or zip, or a folder of them
                (with subfolders)
--json OUT      write the figures as JSON ("-" = standard output, and nothing else is printed)
--html OUT      write the health report as one HTML file, figures included, to send to a colleague
--with-data     with names of groups and files and log-probs of single tokens in it
--eps-low X     clip band 1 - X .. 1 + Y for the ratio-clipping objectives
--eps-high Y    (GRPO, Dr.GRPO, DAPO, GSPO, GSPO-token, LUSPO, RLOO); default: each library's own
--correction C  of sampler mismatch in the losses: ID[=LOW/HIGH], such as sequence-mask=none/3; ID one of
                ${CORRECTION_IDS.slice(1).join(', ')}
--what-if V     the same file under variant V = OBJECTIVE[.trl|.verl|.tinker|.roll][@LOW/HIGH][+CORRECTION[=LOW/HIGH]];
                give it twice or more, the first is what the others are compared with;
                +bypass[+CORRECTION] after a verl objective: its bypass_mode;
                +advantages=RULE, advantages from rewards by RULE: as --advantages has them, gdpo
                or optimal_token_baseline;
                after a TRL objective: +top-entropy=Q, its top_entropy_quantile; +beta=B, its beta, or
                +corrected-beta=B, with use_bias_correction_kl, where the file has a reference policy
--advantages R  how advantages follow from rewards where a file has none:
                ${ADVANTAGE_RULES.join(', ')} (default ${SETTINGS.rule.fallback})
--mask NAME     take column NAME as the mask (1 = response token) and no other, whatever it is called
--skip-bad      leave unreadable responses out and count them
--by-step       read one training step (by file names) after the other and keep sums only;
                by itself above 1 GiB of files
--partial OUT   write what is kept of these files as a part, to be merged, and print nothing else
--merge         the FILEs are parts: print, or write as JSON, what one run over all gives`;

class ArgumentError extends Error {
  override name = 'ArgumentError';
}

const WHOLE = '--correction and --what-if take all responses at once';

interface Arguments {
  paths: string[];
  json: string | undefined;
  html: string | undefined;
  withData: boolean;
  /** null = each library's own */
  low: number | null;
  high: number | null;
  rule: AdvantageRule;
  correction: Variant['correction'];
  whatIf: Variant[];
  mask: string | null;
  skip: boolean;
  byStep: boolean;
  partial: string | undefined;
  merge: boolean;
  help: boolean;
}

/** What `--FLAG TEXT` sets, by the declaration of the Data page's setting; its default where the flag was not given. */
function flagged<T>(flag: string, setting: Setting<T>, text: string | undefined): T {
  if (text === undefined) return setting.fallback;
  const value = setting.read(text);
  if (value === undefined) {
    throw new ArgumentError(`--${flag} is "${text}"; it must be ${setting.may}.`);
  }
  return value;
}

function parse(argv: readonly string[]): Arguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        html: { type: 'string' },
        'with-data': { type: 'boolean' },
        'eps-low': { type: 'string' },
        'eps-high': { type: 'string' },
        correction: { type: 'string' },
        'what-if': { type: 'string', multiple: true },
        advantages: { type: 'string' },
        mask: { type: 'string' },
        'skip-bad': { type: 'boolean' },
        'by-step': { type: 'boolean' },
        partial: { type: 'string' },
        merge: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new ArgumentError(message(error));
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0 && !values.help) throw new ArgumentError('No file was given.');
  const inParts = values['by-step'] || values.partial !== undefined || values.merge;
  if (inParts && (values.correction !== undefined || values['what-if'] !== undefined)) {
    throw new ArgumentError(`${WHOLE}; leave --by-step, --partial and --merge out.`);
  }
  if (values.partial !== undefined && (values.merge || values.json !== undefined)) {
    throw new ArgumentError(
      '--partial writes a part only; leave --merge and --json to the merging.',
    );
  }
  return {
    paths: positionals,
    json: values.json,
    html: values.html,
    withData: values['with-data'] ?? false,
    low: flagged('eps-low', SETTINGS.low, values['eps-low']),
    high: flagged('eps-high', SETTINGS.high, values['eps-high']),
    rule: flagged('advantages', SETTINGS.rule, values.advantages),
    correction: parseCorrection(values.correction ?? 'none'),
    whatIf: (values['what-if'] ?? []).map(parseVariant),
    mask: values.mask ?? null,
    skip: values['skip-bad'] ?? false,
    byStep: values['by-step'] ?? false,
    partial: values.partial,
    merge: values.merge ?? false,
    help: values.help ?? false,
  };
}

function figure({ label, value, as }: Figure): string {
  switch (as) {
    case 'share':
      return `${label}: ${(100 * value).toPrecision(3)} %`;
    case 'count':
      return `${label}: ${value}`;
    case 'number':
      return `${label}: ${value.toPrecision(4)}`;
  }
}

/** Counted from 1, as in the report's sentences. */
const range = ({ from, to }: Finding['tokens'][number]) =>
  to - from === 1 ? `token ${to}` : `tokens ${from + 1} to ${to}`;

function place({ at, step, group, sample }: Finding['responses'][number]): string {
  const of = sample === null ? `group ${group}` : `response ${sample} of group ${group}`;
  return [of, step !== null && `step ${step}`, at].filter((text) => text).join(', ');
}

function printHealth(report: HealthReport, print: (line: string) => void): void {
  const mark = { note: 'note', warning: 'WARN' } as const;
  const by = report.trainer === null ? '' : `, settings as ${TRAINERS[report.trainer]} names them`;
  print(`Health${by}`);
  if (report.findings.length === 0) print('  nothing stands out');
  for (const finding of report.findings) {
    print(`  [${mark[finding.level]}] ${finding.title} (${finding.id})`);
    print(`         ${finding.cause}`);
    print(`         What to change: ${finding.remedy}`);
    const { statistic, interval, threshold } = finding;
    const within = interval ? ` (${interval.map((x) => x.toPrecision(3)).join(' to ')})` : '';
    print(
      `         Rule: ${finding.measure} = ${statistic === null ? 'beyond float64' : statistic.toPrecision(4)}${within}; threshold ${threshold.toPrecision(4)}: ${finding.fires}`,
    );
    if (finding.figures.length > 0) print(`         ${finding.figures.map(figure).join('; ')}`);
    const [token] = finding.tokens;
    const [response] = finding.responses;
    if (token) print(`         See ${range(token)} of ${place(token)}`);
    else if (response) print(`         See ${place(response)}`);
    if (finding.firstStep !== null)
      print(`         First step that shows it: ${finding.firstStep}`);
    if (finding.hidden.length > 0) print(`         Follows from it: ${finding.hidden.join(', ')}`);
  }
  if (report.clipping.length > 0) print(`  Clipping: ${report.clipping.map(figure).join('; ')}`);
  print(
    report.cut === null
      ? '  Cut responses: the files do not say (no finish_reason, no max_completion_length)'
      : `  Cut responses: ${(100 * report.cut).toPrecision(3)} %`,
  );
  print(
    `  ${report.passed.length} other rules found nothing; ${report.notAsked.length} could not be asked (${report.notAsked.join(', ') || 'none'})`,
  );
}

const cell = (value: number | null | undefined, digits = 6) =>
  (value === null || value === undefined ? '-' : value.toPrecision(digits)).padStart(16);

function printObjectives(analysis: Figures, print: (line: string) => void): void {
  print('');
  print('Objectives, at the recommended settings of each library (- = the library has none)');
  const heads = ['TRL loss', 'clip low', 'clip high', 'verl loss', 'clip fraction'];
  print(`  ${'objective'.padEnd(12)}${heads.map((head) => head.padStart(16)).join('')}`);
  for (const [id, { trl, verl }] of Object.entries(analysis.objectives)) {
    print(
      `  ${id.padEnd(12)}${cell(trl?.loss, 8)}${cell(trl?.clip_low, 4)}${cell(trl?.clip_high, 4)}` +
        `${cell(verl?.loss, 8)}${cell(verl?.clip_fraction, 4)}`,
    );
  }
  print(
    `  ${BATCH_IDS.join(' and ')} choose tokens over the whole batch and have no line: ask with --what-if`,
  );
  print('  TRL counts a clipped sequence ratio once per response, verl once per token.');
  const { kl, chi2 } = analysis;
  print('');
  print(
    `KL(old || new) per token: k1 ${kl.k1.toPrecision(6)}, k2 ${kl.k2.toPrecision(6)}, k3 ${kl.k3.toPrecision(6)}`,
  );
  print(`Chi-square: token ${chi2.token.toPrecision(6)}, sequence ${chi2.sequence.toPrecision(6)}`);
}

/** files that are listed one by one */
const LISTED_FILES = 40;

/** Of sentences that parts say with other numbers each, the first, and in how many parts it was said. */
export function noteLines(notes: ReadonlyMap<string, number>): string[] {
  const alike = new Map<string, { first: string; texts: number; parts: number }>();
  for (const [note, times] of notes) {
    const key = note.replace(/\d[\d,]*/g, '#');
    const own = alike.get(key);
    if (!own) alike.set(key, { first: note, texts: 1, parts: times });
    else alike.set(key, { ...own, texts: own.texts + 1, parts: own.parts + times });
  }
  return Array.from(alike.values(), ({ first, texts, parts }) =>
    parts === 1
      ? first
      : `${first} (${parts} parts say so${texts > 1 ? ', with numbers of their own' : ''})`,
  );
}

function printImport(run: AnalysisRun, print: (line: string) => void): void {
  for (const file of run.files.slice(0, LISTED_FILES)) {
    const skipped = file.skipped > 0 ? `, ${file.skipped} skipped` : '';
    print(
      `${file.name}: ${file.format}${file.compression ? ` (${file.compression})` : ''}, ${file.sequences} responses, ${file.tokens} tokens${skipped}`,
    );
  }
  if (run.files.length > LISTED_FILES) {
    print(`... and ${run.files.length - LISTED_FILES} more files`);
  }
  for (const problem of run.problems.slice(0, 5)) print(`  skipped ${describeProblem(problem)}`);
  if (run.computed > 0) {
    print(`Advantages of ${run.computed} responses computed by the rule "${run.rule}".`);
  }
  for (const line of noteLines(run.notes)) print(line);
}

async function readThrough(data: AsyncGenerator<unknown>): Promise<void> {
  let next = await data.next();
  while (!next.done) next = await data.next();
}

/** Responses as JSON; none are kept where an analysis was merged. */
async function* sequencesOf(data: AsyncIterable<FileRollouts>) {
  for await (const part of data) yield* sequenceAnalyses(part);
}

/** What the analysis says, as JSON has it around its responses. */
function summary(run: AnalysisRun) {
  const health = reportOf(run.health);
  const { n_sequences, n_tokens, ...figures } = run.figures.figures();
  const head = {
    ...healthJson(health),
    import: {
      notes: noteLines(run.notes),
      skipped: run.skipped,
      problems: run.problems.map(describeProblem),
      advantages: run.computed > 0 ? { rule: run.rule, computed: run.computed } : null,
    },
    n_sequences,
    n_tokens,
  };
  return { health, head, figures: { ...figures, sampling_metrics: run.sampling.metrics() } };
}

function printResult(
  run: AnalysisRun,
  print: (line: string) => void,
  corrected: Partial<Figures> = {},
): void {
  printImport(run, print);
  print('');
  printHealth(reportOf(run.health), print);
  printObjectives({ ...run.figures.figures(), ...corrected }, print);
}

/** The report to send on, where it was asked for. */
async function writeHtml(args: Arguments, run: AnalysisRun): Promise<void> {
  if (args.html === undefined) return;
  const made = new Date().toISOString().slice(0, 10);
  await writeFile(args.html, reportHtml(reportOf(run.health), { withData: args.withData, made }));
}

async function writeJson(
  path: string,
  lines: AsyncIterable<string>,
  print: (line: string) => void,
): Promise<void> {
  if (path !== '-') return writeLines(path, lines);
  for await (const line of lines) print(line);
}

/** Parts into what one run over all gives; without the single responses, which no part keeps. */
async function merge(args: Arguments, print: (line: string) => void): Promise<void> {
  const run = await mergedParts(args.paths);
  await writeHtml(args, run);
  if (args.json !== undefined) {
    const { head, figures } = summary(run);
    const inputs = run.inputs.map(({ name, sha256 }) => ({ name, sha256 }));
    await writeJson(
      args.json,
      jsonLines({ ...head, ...figures }, 'inputs', inputs, () => ({})),
      print,
    );
    if (args.json === '-') return;
  }
  print(`${args.paths.length} parts of ${run.inputs.length} files`);
  if (run.skipped > 0) print(`${run.skipped} unreadable responses were left out (--skip-bad).`);
  printResult(run, print);
  if (args.html !== undefined) print(`Report written to ${args.html}`);
  if (args.json !== undefined) print(`Figures written to ${args.json}`);
}

/** What is computed of all responses at once, and so has no part. */
function ofWhole(args: Arguments, clip: Clip, data: FileRollouts) {
  const { rollouts, maxCompletionLength } = data;
  const length = maxCompletionLength === null ? {} : { length: maxCompletionLength };
  const objectives =
    args.correction.id === 'none'
      ? {}
      : { objectives: correctedObjectives(rollouts, { ...clip, ...length }, args.correction) };
  const compared =
    args.whatIf.length === 0 ? null : whatIf(rollouts, args.whatIf, maxCompletionLength);
  const names = { sample: data.sample, groupIds: data.groupIds, group: rollouts.group };
  return {
    objectives,
    json: compared ? { what_if: whatIfJson(compared) } : {},
    lines: compared ? whatIfLines(compared, names) : [],
  };
}

/**
 * What stands in a column that holds no log-probs is a finding, though nothing can be computed of it: reads again,
 * leaves such responses out, and tells, prints or writes the health report alone.
 */
async function judgeImpossible(
  args: Arguments,
  clip: Clip,
  reason: string,
  print: (line: string) => void,
): Promise<void> {
  const run = new AnalysisRun(clip, args.rule, args.mask);
  const files = await rolloutFiles(args.paths);
  await readThrough(run.read(filesByStep(files), true, 'always', true));
  if (run.health.impossible.size === 0) return;
  const report = reportOf(run.health);
  await writeHtml(args, run);
  if (args.json !== undefined) {
    await writeJson(
      args.json,
      jsonLines({ error: reason }, 'sequences', [], () => healthJson(report)),
      print,
    );
  }
  if (args.json !== '-') printHealth(report, print);
}

async function analyze(args: Arguments, print: (line: string) => void): Promise<void> {
  const clip: Clip = {
    ...(args.low === null ? {} : { low: args.low }),
    ...(args.high === null ? {} : { high: args.high }),
  };
  try {
    await analyzeAll(args, clip, print);
  } catch (error) {
    const { cause } = error instanceof RolloutFileError ? error : { cause: null };
    const all = args.skip && error instanceof RolloutFileError;
    if (
      error instanceof RolloutFileError &&
      args.partial === undefined &&
      (all || cause instanceof ImpossibleError)
    ) {
      await judgeImpossible(args, clip, error.message, print);
    }
    throw error;
  }
}

/** Reads everything, and writes or prints what was asked for. */
async function analyzeAll(
  args: Arguments,
  clip: Clip,
  print: (line: string) => void,
): Promise<void> {
  const run = new AnalysisRun(clip, args.rule, args.mask);
  const files = await rolloutFiles(args.paths);
  const byStep = args.byStep || args.partial !== undefined || areLarge(files);
  if (byStep && (args.correction.id !== 'none' || args.whatIf.length > 0)) {
    throw new ArgumentError(`${WHOLE}, and these files are too large for that; give fewer.`);
  }
  const groups = byStep ? filesByStep(files) : [files];
  const data = run.read(groups, args.skip, byStep ? 'always' : 'differing');
  if (args.partial !== undefined) {
    await readThrough(data);
    await run.write(args.partial, files);
    return;
  }
  let whole: ReturnType<typeof ofWhole> | null = null;
  if (!byStep) {
    for await (const all of data) {
      whole = ofWhole(args, clip, all);
      if (args.json === undefined) continue;
      const { head, figures } = summary(run);
      const after = { ...figures, ...whole.objectives, ...whole.json };
      const lines = jsonLines(head, 'sequences', sequenceAnalyses(all), () => after);
      await writeJson(args.json, lines, print);
    }
  } else if (args.json === undefined) await readThrough(data);
  else {
    const after = () => {
      const { head, figures } = summary(run);
      return { ...head, ...figures };
    };
    await writeJson(args.json, jsonLines({}, 'sequences', sequencesOf(data), after), print);
  }
  await writeHtml(args, run);
  if (args.json === '-') return;
  // Whoever reads the lines may stop reading; the figures are safe by then.
  if (byStep) {
    print(
      `Read in ${groups.length} parts, one training step after the other: kept are sums per prompt and step${args.json === undefined ? '' : ', and the responses in the JSON'}; tokens were let go.`,
    );
  }
  printResult(run, print, whole?.objectives);
  for (const line of whole?.lines ?? []) print(line);
  if (args.html !== undefined) print(`Report written to ${args.html}`);
  if (args.json !== undefined) print(`Figures written to ${args.json}`);
}

/** @returns the exit status */
export async function main(
  argv: readonly string[],
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  try {
    const args = parse(argv);
    if (args.help) {
      print(USAGE);
      return 0;
    }
    await (args.merge ? merge(args, print) : analyze(args, print));
    return 0;
  } catch (error) {
    if (error instanceof ArgumentError || error instanceof VariantError) {
      complain(`${error.message}\n\n${USAGE}`);
      return 1;
    }
    if (
      error instanceof RolloutFileError ||
      error instanceof PathError ||
      error instanceof PartError
    ) {
      complain(error.message);
      return 1;
    }
    if (error instanceof Error && 'code' in error && 'path' in error) {
      complain(`${String(error.path)}: cannot be read or written (${String(error.code)}).`);
      return 1;
    }
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has enough, as `head` has.
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  process.exitCode = await main(
    process.argv.slice(2),
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
  );
}
