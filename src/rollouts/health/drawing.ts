/**
 * The report's figures as shapes, so that the page and the one-file report draw the same: log-probs around the
 * tokens that show a finding, its statistic against the threshold, how log ratios are spread, and what changes over
 * the steps. Contract: plain data in a box of `width` x `height`; who draws it chooses the colours of the kinds.
 * Only the figures of `tokens` hold values of single tokens.
 */
import type { Distribution } from './distributions';
import { inDigits, inPercent } from './finding';
import type { Finding, HealthReport } from './report';

export type Kind = 'old' | 'new' | 'sampler' | 'axis' | 'mark' | 'limit';

export interface Drawing {
  /** says in words what it shows */
  title: string;
  width: number;
  height: number;
  lines: { kind: Kind; points: [number, number][] }[];
  /** [left, top, width, height] */
  bars: { kind: Kind; at: [number, number, number, number] }[];
  dots: { kind: Kind; at: [number, number] }[];
  texts: { at: [number, number]; text: string; anchor: 'start' | 'middle' | 'end'; kind: Kind }[];
  /** [left, top, width, height] that marks the tokens or steps in question */
  marked: [number, number, number, number] | null;
}

const WIDTH = 640;
const HEIGHT = 170;
/** Room for "-8.8 nats" at the size that words have on a phone, where the figure shrinks and they do not. */
const LEFT = 84;
const RIGHT = 12;
const TOP = 26;
const BOTTOM = 30;

type Scale = (x: number) => number;

const scale = (from: number, to: number, low: number, high: number): Scale => {
  const span = to === from ? 1 : to - from;
  return (x) => low + ((x - from) / span) * (high - low);
};

const short = (x: number) => String(Number(x.toPrecision(2)));

/** Log-probs below are drawn at the edge: one filler would flatten the rest. */
const DEEPEST = -25;

function excerptDrawing(excerpt: NonNullable<Finding['excerpt']>): Drawing {
  const { values, of, shows } = excerpt;
  const columns = (
    [
      ['old', values.old],
      ['new', values.new],
      ['sampler', values.sampler],
    ] as const
  ).flatMap(([kind, column]) => (column ? [{ kind, column }] : []));
  const bounded = (x: number) => Math.max(DEEPEST, x);
  const lowest = Math.min(-0.1, ...columns.flatMap(({ column }) => column.map(bounded)));
  const n = values.old.length;
  const x = scale(-0.5, n - 0.5, LEFT, WIDTH - RIGHT);
  const y = scale(0, lowest, TOP, HEIGHT - BOTTOM);
  const whole = of.to - of.from >= n;
  const marked: Drawing['marked'] = whole
    ? null
    : [
        x(Math.max(-0.5, of.from - values.from - 0.5)),
        TOP,
        Math.max(
          2,
          x(Math.min(n, of.to - values.from) - 0.5) -
            x(Math.max(-0.5, of.from - values.from - 0.5)),
        ),
        HEIGHT - BOTTOM - TOP,
      ];
  return {
    title: `Log-probs per token: ${shows}`,
    width: WIDTH,
    height: HEIGHT,
    marked,
    bars: [],
    lines: [
      {
        kind: 'axis',
        points: [
          [LEFT, TOP],
          [LEFT, HEIGHT - BOTTOM],
          [WIDTH - RIGHT, HEIGHT - BOTTOM],
        ],
      },
      ...columns.map(({ kind, column }) => ({
        kind,
        points: column.map((value, t): [number, number] => [x(t), y(bounded(value))]),
      })),
    ],
    dots: columns.flatMap(({ kind, column }) =>
      column.map((value, t) => ({ kind, at: [x(t), y(bounded(value))] as [number, number] })),
    ),
    texts: [
      { at: [LEFT - 6, TOP + 4], text: '0', anchor: 'end', kind: 'axis' },
      {
        at: [LEFT - 6, HEIGHT - BOTTOM],
        text: `${short(lowest)} nats`,
        anchor: 'end',
        kind: 'axis',
      },
      { at: [LEFT, HEIGHT - 10], text: `token ${values.from + 1}`, anchor: 'start', kind: 'axis' },
      { at: [WIDTH - RIGHT, HEIGHT - 10], text: `${values.from + n}`, anchor: 'end', kind: 'axis' },
      ...columns.map(({ kind }, i) => ({
        at: [LEFT + 90 * i, 14] as [number, number],
        text: `● ${kind}`,
        anchor: 'start' as const,
        kind,
      })),
    ],
  };
}

/** KL of sampler and trainer over the steps where there is a sampler, else the size of the ratio. */
export function stepsDrawing({ steps, findings }: HealthReport): Drawing | null {
  if (steps.length < 2) return null;
  const sampled = steps.every(({ samplerKl }) => samplerKl !== null);
  const series = steps.map(({ step, samplerKl, ratioSize }) => ({
    step,
    value: sampled ? (samplerKl ?? 0) : ratioSize,
  }));
  const positive = series.map(({ value }) => value).filter((value) => value > 0);
  if (positive.length === 0) return null;
  const limit = sampled ? 1e-3 : null;
  const logs = [...positive, ...(limit === null ? [] : [limit])].map(Math.log10);
  const [low, high] = [
    Math.floor(logs.reduce((least, x) => Math.min(least, x))),
    Math.ceil(logs.reduce((most, x) => Math.max(most, x)) + 1e-9),
  ];
  const [first, last] = [series[0]?.step ?? 0, series.at(-1)?.step ?? 1];
  const x = scale(first, last, LEFT + 8, WIDTH - RIGHT - 8);
  const y = scale(high, low === high ? high - 1 : low, TOP, HEIGHT - BOTTOM);
  const at = (step: number, value: number): [number, number] => [
    x(step),
    y(Math.max(low, Math.log10(Math.max(value, 1e-300)))),
  ];
  const from = findings.find(({ id }) => id === 'growing-mismatch')?.firstStep ?? null;
  return {
    title: sampled
      ? 'KL(sampler || old) by k3 over the training steps, nats per token'
      : 'Size of the log ratio over the training steps, root mean square, nats',
    width: WIDTH,
    height: HEIGHT,
    marked:
      from === null ? null : [x(from) - 4, TOP, WIDTH - RIGHT - x(from) + 4, HEIGHT - BOTTOM - TOP],
    bars: [],
    lines: [
      {
        kind: 'axis',
        points: [
          [LEFT, TOP],
          [LEFT, HEIGHT - BOTTOM],
          [WIDTH - RIGHT, HEIGHT - BOTTOM],
        ],
      },
      ...(limit === null
        ? []
        : [
            {
              kind: 'limit' as const,
              points: [
                [LEFT, at(first, limit)[1]],
                [WIDTH - RIGHT, at(first, limit)[1]],
              ] as [number, number][],
            },
          ]),
      {
        kind: sampled ? 'sampler' : 'new',
        points: series.map(({ step, value }) => at(step, value)),
      },
    ],
    dots: series.map(({ step, value }) => ({
      kind: sampled ? 'sampler' : 'new',
      at: at(step, value),
    })),
    texts: [
      { at: [LEFT - 6, TOP + 4], text: `1e${high}`, anchor: 'end', kind: 'axis' },
      {
        at: [LEFT - 6, HEIGHT - BOTTOM],
        text: `1e${low === high ? high - 1 : low}`,
        anchor: 'end',
        kind: 'axis',
      },
      { at: [LEFT, HEIGHT - 10], text: `step ${first}`, anchor: 'start', kind: 'axis' },
      { at: [WIDTH - RIGHT, HEIGHT - 10], text: String(last), anchor: 'end', kind: 'axis' },
      ...(from === null
        ? []
        : [
            {
              at: [x(from), TOP - 6] as [number, number],
              text: `from step ${from} on`,
              anchor: 'middle' as const,
              kind: 'mark' as const,
            },
          ]),
    ],
  };
}

const SPREAD_TITLES: Record<Distribution['of'], (n: string) => string> = {
  responses: (n) => `Mean log ratio of a response, log s, over ${n} responses, nats`,
  tokens: (n) => `Log ratio of a token, log new - log old, over ${n} tokens, nats`,
  sampler: (n) => `Log old - log sampler of a token, over ${n} tokens, nats`,
};

function spreadDrawing({ of, n, limit, bins, beyond, band }: Distribution): Drawing {
  const most = Math.max(...bins);
  const x = scale(-limit, limit, LEFT, WIDTH - RIGHT);
  const y = scale(0, most, HEIGHT - BOTTOM, TOP);
  const width = (WIDTH - RIGHT - LEFT) / bins.length;
  const edges = band?.filter((edge) => Math.abs(edge) <= limit) ?? [];
  const notes = [
    band && edges.length > 0 ? 'dashed: the clip range' : null,
    band && edges.length === 0
      ? `the clip range, ${inDigits(band[0])} to ${inDigits(band[1])}, is wider than the figure`
      : null,
    beyond > 0 ? `${inPercent(beyond)} lie further out` : null,
  ].filter((note) => note !== null);
  return {
    title: [SPREAD_TITLES[of](n.toLocaleString('en-US')), ...notes].join('; '),
    width: WIDTH,
    height: HEIGHT,
    marked: null,
    bars: bins.flatMap((share, i) =>
      share > 0
        ? [
            {
              kind: of === 'sampler' ? ('sampler' as const) : ('new' as const),
              at: [LEFT + i * width, y(share), width * 0.9, HEIGHT - BOTTOM - y(share)] as [
                number,
                number,
                number,
                number,
              ],
            },
          ]
        : [],
    ),
    lines: [
      {
        kind: 'axis',
        points: [
          [LEFT, TOP],
          [LEFT, HEIGHT - BOTTOM],
          [WIDTH - RIGHT, HEIGHT - BOTTOM],
        ],
      },
      ...edges.map((edge) => ({
        kind: 'limit' as const,
        points: [
          [x(edge), TOP],
          [x(edge), HEIGHT - BOTTOM],
        ] as [number, number][],
      })),
    ],
    dots: [],
    texts: [
      { at: [LEFT - 6, TOP + 4], text: inPercent(most), anchor: 'end', kind: 'axis' },
      { at: [LEFT - 6, HEIGHT - BOTTOM], text: '0', anchor: 'end', kind: 'axis' },
      { at: [LEFT, HEIGHT - 10], text: short(-limit), anchor: 'start', kind: 'axis' },
      { at: [x(0), HEIGHT - 10], text: '0', anchor: 'middle', kind: 'axis' },
      { at: [WIDTH - RIGHT, HEIGHT - 10], text: short(limit), anchor: 'end', kind: 'axis' },
    ],
  };
}

const RULE_HEIGHT = 74;
/** Values further apart than this are drawn on a logarithmic axis. */
const WIDE = 50;

/** The statistic with its interval, against the threshold. */
export function ruleDrawing(finding: Finding): Drawing | null {
  const { measure, statistic, interval, threshold } = finding;
  if (statistic === null) return null;
  const values = [statistic, threshold, ...(interval ?? [])];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) return null;
  const log = least > 0 && most / least > WIDE;
  const to = (value: number) => (log ? Math.log10(value) : value);
  const room = 0.08 * (to(most) - to(least));
  const across = scale(to(least) - room, to(most) + room, LEFT, WIDTH - RIGHT);
  const x = (value: number) => across(to(value));
  const [middle, bottom] = [34, 48];
  const anchor = (at: number) =>
    at < LEFT + 90
      ? ('start' as const)
      : at > WIDTH - RIGHT - 90
        ? ('end' as const)
        : ('middle' as const);
  return {
    title: `${measure}${interval ? ', with its interval' : ''}; dashed: the threshold${log ? '; logarithmic axis' : ''}`,
    width: WIDTH,
    height: RULE_HEIGHT,
    marked: null,
    bars: interval
      ? [{ kind: 'old', at: [x(interval[0]), middle - 4, x(interval[1]) - x(interval[0]), 8] }]
      : [],
    lines: [
      {
        kind: 'axis',
        points: [
          [LEFT, bottom],
          [WIDTH - RIGHT, bottom],
        ],
      },
      {
        kind: 'limit',
        points: [
          [x(threshold), middle - 12],
          [x(threshold), bottom],
        ],
      },
    ],
    dots: [{ kind: 'old', at: [x(statistic), middle] }],
    texts: [
      {
        at: [x(statistic), 16],
        text: inDigits(statistic),
        anchor: anchor(x(statistic)),
        kind: 'old',
      },
      {
        at: [x(threshold), RULE_HEIGHT - 10],
        text: `threshold ${inDigits(threshold)}`,
        anchor: anchor(x(threshold)),
        kind: 'limit',
      },
    ],
  };
}

export interface Drawings {
  steps: Drawing | null;
  /** how log ratios are spread */
  spread: Drawing[];
  /** by id of the finding */
  tokens: Record<string, Drawing>;
}

export function drawingsOf(report: HealthReport): Drawings {
  return {
    steps: stepsDrawing(report),
    spread: report.distributions.map(spreadDrawing),
    tokens: Object.fromEntries(
      report.findings
        .flatMap(({ id, excerpt }) => (excerpt ? [[id, excerpt] as const] : []))
        .map(([id, excerpt]) => [id, excerptDrawing(excerpt)]),
    ),
  };
}
