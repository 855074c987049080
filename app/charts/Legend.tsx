/**
 * What is what on a chart, above it: recharts' legend with the marks and lines that the chart draws. Contract:
 * an item looks as what it names (`shapes.ts` has both looks).
 */
import { DefaultLegendContent } from 'recharts';
import { lineLook, markLook, markPath, type LineKind, type MarkShape } from './shapes';

export type LegendItem = { name: string } & (
  | {
      mark: MarkShape;
      colour: string;
      hollow?: boolean;
      interval?: boolean;
      times?: readonly number[];
    }
  /** `sign`: of the marks along it; `dash`: in place of the kind's own */
  | { line: LineKind; colour?: string; sign?: MarkShape; dash?: string | null }
  | { band: true; colour?: string }
  | { box: string }
);

/** px of an icon's box, which recharts draws in 32 units */
const SIZE = 20;

function Icon({ item }: { item: LegendItem }) {
  if ('line' in item) {
    const dash = item.dash ? { strokeDasharray: item.dash } : {};
    const line = <path d="M0 10H20" {...lineLook(item.line, item.colour)} {...dash} />;
    if (item.sign === undefined) return line;
    return (
      <g>
        {line}
        <path
          transform="translate(10,10)"
          d={markPath(item.sign, 3)}
          {...markLook(item.colour ?? '--ink', true)}
        />
      </g>
    );
  }
  if ('band' in item) return <rect className="plot-band" y={5} width={SIZE} height={10} />;
  if ('box' in item) {
    return <rect className={item.box} x={3.5} y={3.5} width={13} height={13} rx={2} />;
  }
  const { mark, colour, hollow = false, interval = true, times = [4] } = item;
  return (
    <g>
      {interval && <path d="M10 2V18" stroke={`var(${colour})`} strokeWidth={1.5} />}
      {times.map((r, i) => (
        <path
          key={i}
          transform={`translate(${10 + (i - (times.length - 1) / 2) * 6.5},10)`}
          d={markPath(mark, r)}
          {...(mark === 'stroke'
            ? { stroke: `var(${colour})`, strokeWidth: 2 }
            : markLook(colour, hollow))}
        />
      ))}
    </g>
  );
}

export function Legend({ items }: { items: readonly LegendItem[] }) {
  return (
    <div className="legend" role="group" aria-label="Legend">
      <DefaultLegendContent
        iconSize={SIZE}
        labelStyle={{ color: 'inherit' }}
        payload={items.map((item) => ({
          value: item.name,
          legendIcon: (
            <g transform={`scale(${32 / SIZE})`}>
              <Icon item={item} />
            </g>
          ),
        }))}
      />
    </div>
  );
}
