/** Gradient per token, relative to the average token, by length or by entropy: 1 means an equal share. */
import { useMemo } from 'react';
import type { GradientResult } from '../../../src/experiments/gradient';
import type { MassBin } from '../../../src/experiments/gradient/mass';
import { CurveLegend, Curves, type Curve } from '../../charts/Curves';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayCurves, overlayTable } from '../../charts/overlay';
import { domainOf, linearScale, logScale } from '../../charts/scale';
import { percent, significant } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { useOverlays } from '../../runs/useOverlays';
import { objectiveView } from '../../page/objective-views';

const BY = {
  length: {
    title: 'Gradient per token, by length',
    xLabel: 'response tokens, L',
    of: 'byLength',
    caption:
      'Share of the gradient over share of the tokens. A mean over sequences gives each response the same, so its tokens get less the longer it is (slope −1); a token mean treats tokens alike (1).',
  },
  entropy: {
    title: 'Gradient per token, by entropy',
    xLabel: 'Shannon entropy of the next token under pi_old, nats',
    of: 'byEntropy',
    caption:
      'Share of the gradient over share of the tokens, in bins with equal numbers of tokens. Where the policy is unsure ratios move more, and gates close more often.',
  },
} as const;

function relative({ mass, tokens }: MassBin): number {
  return tokens > 0 ? mass / tokens : Number.NaN;
}

type By = keyof typeof BY;

function curvesOf({ objectives }: GradientResult, by: By): Curve[] {
  const middle = ({ low, high }: MassBin) =>
    by === 'length' ? Math.sqrt(low * high) : (low + high) / 2;
  return objectives.map((objective, k) => {
    // Bins of equal entropy (a deterministic policy) have no width and no place of their own.
    const bins = objective[BY[by].of].filter(({ low, high, tokens }) => tokens > 0 && high >= low);
    return {
      ...objectiveView(objective.id),
      // Token means lie on top of each other: dashes let both be seen.
      kind: k % 2 === 0 ? ('line' as const) : ('dashed' as const),
      x: bins.map(middle),
      y: bins.map(relative),
    };
  });
}

function rowsOf({ objectives }: GradientResult, by: By): string[][] {
  const { of } = BY[by];
  return (objectives[0]?.[of] ?? []).map((bin, k) => [
    by === 'length'
      ? `${bin.low}–${bin.high}`
      : `${significant(bin.low, 3)}–${significant(bin.high, 3)}`,
    percent(bin.tokens),
    ...objectives.map((objective) => percent(objective[of][k]?.mass ?? Number.NaN)),
  ]);
}

export function ShareByBin({
  result,
  axesKey,
  by,
}: {
  result: GradientResult;
  axesKey: string;
  by: By;
}) {
  const { title, xLabel, of, caption } = BY[by];
  const { objectives } = result;
  const overlays = useOverlays('gradient');
  const curves = useMemo(() => curvesOf(result, by), [result, by]);
  const drawn = useMemo(
    () => [
      // Marks joined by dashes: lines are the run in view.
      ...overlayCurves(overlays, (own) =>
        curvesOf(own, by).map((curve) => ({ ...curve, kind: 'points' as const })),
      ),
      ...curves,
    ],
    [overlays, curves, by],
  );
  const bins = objectives[0]?.[of] ?? [];
  const all = drawn.flatMap(({ x }) => Array.from(x));
  const domain: [number, number] =
    by === 'length'
      ? [Math.max(0.5, Math.min(...all, 1e9) / 1.2), Math.max(...all, 1) * 1.2]
      : [...domainOf(all)];
  const [xLow, xHigh] = useStableDomain(domain, axesKey);
  const [, yHigh] = useStableDomain(
    [0, Math.max(2, ...drawn.flatMap(({ y }) => Array.from(y)).filter(Number.isFinite)) * 1.08],
    `${axesKey} ${objectives.map(({ id }) => id).join()}`,
  );
  const x = useMemo(
    () => (by === 'length' ? logScale([xLow, xHigh], 6) : linearScale([xLow, xHigh], 5)),
    [by, xLow, xHigh],
  );
  const y = useMemo(() => linearScale([0, yHigh], 5), [yHigh]);
  return (
    <Figure
      title={title}
      overlays={overlays}
      table={() =>
        overlayTable(
          overlays,
          {
            columns: [
              by === 'length' ? 'tokens' : 'entropy, nats',
              'share of tokens',
              ...objectives.map(({ id }) => `gradient, ${objectiveView(id).name}`),
            ],
            rows: rowsOf(result, by),
          },
          (own) => rowsOf(own, by),
        )
      }
      caption={caption}
    >
      <CurveLegend entries={curves} />
      {bins.length === 0 ? (
        <div className="plot-empty" style={{ height: 248 }}>
          no Shannon entropies in this source
        </div>
      ) : (
        <Curves
          label={title}
          curves={drawn}
          x={x}
          y={y}
          xLabel={<Prose>{xLabel}</Prose>}
          yLabel="gradient per token, average = 1"
          height={248}
          level={1}
          showX={(at) =>
            by === 'length'
              ? `around ${significant(at, 3)} tokens`
              : `around ${significant(at, 3)} nats`
          }
          showY={(share) => significant(share, 3)}
        />
      )}
    </Figure>
  );
}
