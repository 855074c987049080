/** A fixed band treats lengths differently, an adaptive one z σ / √L alike: share outside against length. */
import { useMemo } from 'react';
import type { ClippingResult, SharePoint } from '../../../src/experiments/clipping';
import { CurveLegend, Curves, type Curve } from '../../charts/Curves';
import { Figure } from '../../figures/Figure';
import { useStableDomain } from '../../charts/hooks';
import { overlayCurves, overlayTable } from '../../charts/overlay';
import { logScale, percentScale, shareText } from '../../charts/scale';
import { count, significant } from '../../format/numbers';
import { useOverlays } from '../../runs/useOverlays';

const BANDS = [
  { key: 'fixed', name: 'fixed 3e-4 / 4e-4', colour: '--series-gspo', shape: 'circle' },
  { key: 'adaptive', name: 'adaptive', colour: '--series-dapo', shape: 'square' },
] as const;

function curvesOf({ lengths }: ClippingResult): Curve[] {
  return BANDS.flatMap(({ key, name, colour, shape }) => {
    const x = lengths.map((bin) => bin.length);
    const of = (pick: (point: SharePoint) => number) => lengths.map((bin) => pick(bin[key]));
    return [
      {
        name: `${name}, predicted`,
        colour,
        kind: 'line' as const,
        x,
        y: of(({ predicted }) => predicted),
      },
      {
        name: `${name}, measured`,
        colour,
        shape,
        kind: 'points' as const,
        x,
        y: of(({ measured }) => measured),
        interval: lengths.map((bin) => bin[key].interval),
      },
    ];
  });
}

const shareCells = ({ measured, interval, predicted }: SharePoint) => [
  shareText(measured),
  interval === null ? '' : `${shareText(interval[0])} – ${shareText(interval[1])}`,
  shareText(predicted),
];

const rowsOf = ({ lengths }: ClippingResult) =>
  lengths.map((bin) => [
    `${bin.minLength}–${bin.maxLength}`,
    count(bin.sequences),
    ...shareCells(bin.fixed),
    significant(bin.adaptiveEpsilon, 3),
    ...shareCells(bin.adaptive),
  ]);

const COLUMNS = [
  'tokens',
  'responses',
  'fixed, measured',
  '95 %',
  'predicted',
  'ε adaptive',
  'adaptive, measured',
  '95 %',
  'predicted',
];

export function LengthFigure({
  result,
  axesKey,
  z,
  onZ,
}: {
  result: ClippingResult;
  axesKey: string;
  z: number;
  onZ: (z: number) => void;
}) {
  const overlays = useOverlays('clipping');
  const curves = useMemo(() => curvesOf(result), [result]);
  const drawn = useMemo(
    () => [...overlayCurves(overlays, curvesOf), ...curves],
    [overlays, curves],
  );
  const lengths = drawn.flatMap((curve) => Array.from(curve.x));
  const shortest = Math.min(...lengths, Infinity);
  const longest = Math.max(...lengths, 1);
  const [low, high] = useStableDomain(
    [Number.isFinite(shortest) ? shortest / 1.15 : 1, longest * 1.15],
    axesKey,
  );
  const x = useMemo(() => logScale([low, high], 6), [low, high]);
  const y = useMemo(() => percentScale(), []);
  return (
    <Figure
      title="Fixed or adaptive band, by length"
      controls={
        <div className="page-controls">
          <label>
            z
            <input
              type="range"
              min="0.25"
              max="3"
              step="0.01"
              value={z}
              onChange={(event) => onZ(Number(event.target.value))}
            />
            {z.toFixed(2)}
          </label>
        </div>
      }
      overlays={overlays}
      table={() => overlayTable(overlays, { columns: COLUMNS, rows: rowsOf(result) }, rowsOf)}
      caption={
        <>
          Share of responses with s outside the band, whatever the sign of A, with 95 % intervals
          over prompts. Adaptive: ε(L) = z σ/√L with σ = {significant(result.sigma, 3)}; it should
          put the same share outside at every length.
        </>
      }
    >
      <CurveLegend entries={curves} />
      <Curves
        label="Share of responses outside a fixed and an adaptive band, by length"
        curves={drawn}
        x={x}
        y={y}
        xLabel="response tokens, L"
        yLabel="share outside"
        height={260}
        showX={(length) => `${significant(length, 3)} tokens on average`}
        showY={shareText}
      />
    </Figure>
  );
}
