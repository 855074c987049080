/** GSPO's section 5.2: does the disparity of the clipped shares stay when both bands are adjusted? From one set of rollouts. */
import type { ClippingResult } from '../../../src/experiments/clipping';
import { HeatMap } from '../../charts/HeatMap';
import { logScale } from '../../charts/scale';
import { Figure } from '../../figures/Figure';
import { timesAsMuch } from '../../format/numbers';

/** orders of magnitude at a full tint */
const FULL = 4;

export function DisparityFigure({ result }: { result: ClippingResult }) {
  const { factors, log10 } = result.disparity;
  const step = (factors[1] as number) / (factors[0] as number);
  const scale = logScale(
    [(factors[0] as number) / Math.sqrt(step), (factors.at(-1) as number) * Math.sqrt(step)],
    5,
  );
  const at = (gspo: number, grpo: number) => log10[gspo]?.[grpo] ?? null;
  const words = (gspo: number, grpo: number) => {
    const orders = at(gspo, grpo);
    return orders === null ? 'one of the two clips nothing' : timesAsMuch(orders);
  };
  const published = factors.indexOf(1);
  const near = factors.flatMap((a, i) =>
    factors.flatMap((b, j) => {
      const orders = at(i, j);
      return orders !== null && Math.max(a, b) <= 2 && Math.min(a, b) >= 0.5 ? [orders] : [];
    }),
  );
  return (
    <Figure
      title="GSPO’s over GRPO’s clipped tokens, both bands adjusted"
      table={() => ({
        columns: ['GRPO band \\ GSPO band', ...factors.map((by) => `× ${by}`)],
        rows: factors.map((by, grpo) => [
          `× ${by}`,
          ...factors.map((_, gspo) => words(gspo, grpo)),
        ]),
      })}
      caption={
        <>
          Token for token, from the same rollouts: GSPO’s 3e-4/4e-4 and GRPO’s 0.2/0.27, each times
          a factor. As published: {words(published, published)}
          {near.length > 0 &&
            `; within a factor of two of both, ${timesAsMuch(Math.min(...near))} to ${timesAsMuch(Math.max(...near))}`}
          . A full tint is {timesAsMuch(FULL)}; untinted: as many as GRPO or fewer, or one of the
          two clips nothing. GSPO’s paper says that adjusting the ranges does not alter the
          disparity.
        </>
      }
    >
      <HeatMap
        label="Orders of magnitude between GSPO’s and GRPO’s shares of clipped tokens, over factors on both bands"
        columns={factors}
        rows={factors}
        share={(gspo, grpo) => Math.min(1, Math.max(0, (at(gspo, grpo) ?? 0) / FULL))}
        shareKey={JSON.stringify(log10)}
        colour="--series-gspo"
        x={scale}
        y={scale}
        xLabel="GSPO’s band, times"
        yLabel="GRPO’s band, times"
        height={300}
        ring={{ x: 1, y: 1, label: 'as published' }}
        describe={(gspo, grpo) => ({
          head: `GSPO’s band times ${factors[gspo]}, GRPO’s times ${factors[grpo]}`,
          rows: [{ name: 'clipped tokens', value: words(gspo, grpo) }],
        })}
      />
    </Figure>
  );
}
