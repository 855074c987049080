/**
 * What `npm run calibrate` found, as `docs/calibration.md`: the targets with what came out, then every scenario. Contract:
 * pure; every share stands with the 95 % interval (Wilson) of its replications.
 */
import type { ClaimTally, ScenarioReport } from '../src/calibration/calibrate';
import { wilson } from '../src/math/stats/intervals';
import { declared, PAGE_NAMES, PAGES } from '../src/calibration/scenarios';
import { intervalCount, POWER, smallestN } from '../src/experiments/shared/claim';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(head),
  row(head.map(() => '---')),
  ...rows.map(row),
  '',
];

const round = (x: number): string => (100 * x).toFixed(1);

/** Share with its interval: "94.5 % [90.4, 96.9]". */
export function share(hits: number, n: number): string {
  if (n === 0) return '';
  const [low, high] = wilson(hits, n);
  return `${round(hits / n)} % [${round(low)}, ${round(high)}]`;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Scenarios of a kind that are about the same departure at the same size, by name. */
const named = (reports: readonly ScenarioReport[], kind: ScenarioReport['kind']) =>
  reports.filter((own) => own.kind === kind);

function coverage(reports: readonly ScenarioReport[]): string[] {
  const rows = reports.flatMap((report) =>
    PAGE_NAMES.flatMap((page) => {
      const ids: readonly string[] = PAGES[page].map(({ id }) => id);
      const own = report.claims.filter(({ id, judged }) => ids.includes(id) && judged > 0);
      if (report.pages[page] === undefined || own.length === 0) return [];
      const worst = own.reduce((low, claim) =>
        claim.covered / claim.judged < low.covered / low.judged ? claim : low,
      );
      return [
        [
          report.scenario,
          page,
          share(sum(own.map((c) => c.covered)), sum(own.map((c) => c.judged))),
          `\`${worst.id}\` ${share(worst.covered, worst.judged)}`,
        ],
      ];
    }),
  );
  return table(['scenario', 'page', 'covers, all claims', 'lowest of a claim'], rows);
}

function pagesTable(reports: readonly ScenarioReport[]): string[] {
  const rows = reports.flatMap((report) =>
    PAGE_NAMES.flatMap((page) => {
      const own = report.pages[page];
      if (own === undefined) return [];
      const n = report.replications;
      return [
        [
          report.scenario,
          page,
          String(report.looks),
          share(own.falseFails, n),
          share(own.missed, n),
        ],
      ];
    }),
  );
  return table(
    ['scenario', 'page', 'looks', 'some false `fails` at some look', 'some interval ever misses'],
    rows,
  );
}

function edgeTable(reports: readonly ScenarioReport[]): string[] {
  const rows = reports.flatMap((report) =>
    report.claims
      .filter(({ id }) => report.about.includes(id))
      .map((c) => [
        `\`${c.id}\``,
        report.plan.kurtosis > 3 ? 'spiky' : 'normal',
        truth(c),
        share(c.falseHolds, report.replications),
        share(c.falseFails, report.replications),
      ]),
  );
  return table(['claim', 'tokens', 'truth', 'false `holds` at some look', 'false `fails`'], rows);
}

/** `dependence.prompt`: its claims and those of its page share 5 %. */
function wanted(id: string, kurtosis: number): string {
  const declaration = declared(id);
  const page = PAGE_NAMES.find((name) => PAGES[name].some((own) => own.id === id));
  const n = page && smallestN(declaration, intervalCount(PAGES[page]));
  const own = n?.[kurtosis > 3 ? 1 : 0];
  return own === null || own === undefined ? 'the page says' : String(own);
}

function powerTable(reports: readonly ScenarioReport[]): string[] {
  const cell = (id: string, spiky: boolean, prompts: number): string => {
    const report = reports.find(
      ({ about, plan }) =>
        about.includes(id) && plan.kurtosis > 3 === spiky && plan.prompts === prompts,
    );
    const own = report?.claims.find((c) => c.id === id);
    return report && own ? share(own.holds, report.replications) : '';
  };
  const sizes = [...new Set(reports.map(({ plan }) => plan.prompts))].sort((a, b) => a - b);
  const ids = [...new Set(reports.flatMap(({ about }) => about))];
  const rows = ids.flatMap((id) =>
    [false, true].map((spiky) => [
      `\`${id}\``,
      spiky ? 'spiky' : 'normal',
      ...sizes.map((prompts) => cell(id, spiky, prompts)),
      wanted(id, spiky ? 250 : 3),
    ]),
  );
  return table(
    [
      'claim',
      'tokens',
      ...sizes.map((prompts) => `\`holds\` at ${prompts} prompts`),
      `prompts for ${100 * POWER} %`,
    ],
    rows,
  );
}

function truth({ truth: own, truthError }: ClaimTally): string {
  if (own === null) return 'not known';
  const digits = Math.abs(own) < 5e-4 ? '0' : String(Number(own.toPrecision(3)));
  return truthError > 0 ? `${digits} (measured)` : digits;
}

function scenarioSection(report: ScenarioReport): string[] {
  const { scenario, replications: n, looks, claims, pages, ledger, about } = report;
  return [
    `### ${scenario}`,
    '',
    `${n} runs of ${report.plan.prompts} prompts x ${report.plan.groupSize}, ${looks} ${looks === 1 ? 'look' : 'looks'} each.`,
    '',
    ...table(
      [
        'claim',
        'truth',
        'fixed-n 95 % covers',
        'ever misses',
        'false `fails`',
        'false `holds`',
        '`holds`',
        '`departs`',
        '`fails`',
      ],
      claims.map((c) => [
        about.includes(c.id) ? `**${c.id}**` : c.id,
        truth(c),
        share(c.covered, c.judged),
        c.truth === null ? '' : share(c.missed, n),
        c.truth === null ? '' : share(c.falseFails, n),
        c.truth === null ? '' : share(c.falseHolds, n),
        share(c.holds, n),
        share(c.departs, n),
        share(c.fails, n),
      ]),
    ),
    ...PAGE_NAMES.flatMap((page) => {
      const own = pages[page];
      return own === undefined
        ? []
        : [
            `- page ${page}: some false \`fails\` in ${share(own.falseFails, n)}, some false \`holds\` in ${share(own.falseHolds, n)}, some interval ever misses in ${share(own.missed, n)}`,
          ];
    }),
    `- ledger (e-BH over the run’s claims): ${ledger.given} verdicts given, ${ledger.wrong} wrong; mean share of wrong ones ${round(ledger.shares / n)} %`,
    '',
  ];
}

/** `docs/calibration.md`. */
export function calibrationDocument(reports: readonly ScenarioReport[]): string {
  const [clean, edge, half] = (['clean', 'edge', 'half'] as const).map((kind) =>
    named(reports, kind),
  ) as [ScenarioReport[], ScenarioReport[], ScenarioReport[]];
  return [
    '# Calibration',
    '',
    'Made by `npm run calibrate -- --json FILE --markdown docs/calibration.md`. Do verdicts err as seldom as they say? ' +
      'Runs with known truth go through the lab’s own experiments and are judged at every look. They look like the shipped ' +
      'policies’: a prompt fixes the length of its responses (5 to 160 tokens, log-uniform, 3 % of jitter within a prompt), ' +
      'tokens are normal or spiky (kurtosis 250), the runs as large as a small one (64 prompts x 8) and as a pair of the ' +
      'ledger (640 x 8), and they are looked at while they grow (from 20 prompts on, each look 1.15 or 2 times the one before). ' +
      'In brackets: 95 % intervals of what so many replications can tell (Wilson). `measured`: a truth without a closed form, ' +
      'from 20 other draws of 1,000 prompts.',
    '',
    'Scenarios at the margin plant a departure as large as the margin of the claims in bold, where `holds` and `fails` are both ' +
      'wrong; those at half the margin plant half of it, where `holds` is right.',
    '',
    '## Coverage: 93 to 97 % wanted',
    '',
    'Fixed-n 95 % intervals at the end of clean runs.',
    '',
    ...coverage(clean),
    '## False alarms on clean runs: at most 5 % wanted per page',
    '',
    'At any look; `ever misses` is what the time-uniform intervals of a page promise together.',
    '',
    ...pagesTable(clean),
    '## False verdicts at the margin: at most 5 % wanted',
    '',
    `At any look of runs of 640 prompts; ${edge[0]?.replications ?? 0} runs each.`,
    '',
    ...edgeTable(edge),
    `## Power at half the margin: ${100 * POWER} % wanted, or the page says what it takes`,
    '',
    `At the end of ${[...new Set(half.map(({ replications }) => replications))].join(' or ')} runs.`,
    '',
    ...powerTable(half),
    '## Every scenario',
    '',
    ...reports.flatMap(scenarioSection),
  ].join('\n');
}
