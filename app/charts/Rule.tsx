/**
 * A value that matters, across the plot: recharts' reference line with its name beside it. Contract: drawn again only
 * when it changes (recharts tells all of a chart's parts of every reference line that is drawn).
 */
import { memo } from 'react';
import { ReferenceLine } from 'recharts';

interface RuleProps {
  /** the axis that `at` lies on */
  along: 'x' | 'y';
  at: number;
  className: string;
  /** CSS custom property, where the class has none */
  colour?: string;
  dash?: string;
  name?: string | undefined;
  nameClass?: string;
  /** CSS custom property */
  nameColour?: string;
  /** the side of the line, of one along y the end of it, on which its name stands */
  side?: 'left' | 'right';
  /** px further below the top of the plot */
  down?: number;
}

/** px between a line and its name */
const GAP = 5;
/** px that its letters are tall */
const TALL = 8;

/** px */
interface Box {
  x: number;
  y: number;
  width: number;
}

export const Rule = memo(function Rule({
  along,
  at,
  className,
  colour,
  dash,
  name = '',
  nameClass = 'axis-mark-label',
  nameColour = '--ink-faint',
  side = 'right',
  down = 0,
}: RuleProps) {
  return (
    <ReferenceLine
      className={className}
      {...(along === 'x' ? { x: at } : { y: at })}
      {...(colour === undefined ? {} : { stroke: `var(${colour})` })}
      {...(dash === undefined ? {} : { strokeDasharray: dash })}
      {...(name === ''
        ? {}
        : {
            // recharts' own text measures its words, and breaks them where the plot is narrow.
            label: ({ viewBox }: { viewBox: Box }) => {
              const end = along === 'y' || side === 'left';
              const edge = viewBox.x + (along === 'y' ? viewBox.width : 0);
              return (
                <text
                  className={nameClass}
                  fill={`var(${nameColour})`}
                  x={edge + (end ? -GAP : GAP)}
                  y={viewBox.y + (along === 'y' ? -GAP : GAP + TALL + down)}
                  textAnchor={end ? 'end' : 'start'}
                >
                  {name}
                </text>
              );
            },
          })}
    />
  );
});
