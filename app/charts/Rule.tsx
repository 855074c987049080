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
  /** px below the top of the plot, more than recharts gives it */
  down?: number;
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
  down,
}: RuleProps) {
  const top = side === 'left' ? 'insideTopRight' : 'insideTopLeft';
  return (
    <ReferenceLine
      className={className}
      {...(along === 'x' ? { x: at } : { y: at })}
      {...(colour === undefined ? {} : { stroke: `var(${colour})` })}
      {...(dash === undefined ? {} : { strokeDasharray: dash })}
      {...(name === ''
        ? {}
        : {
            label: {
              value: name,
              className: nameClass,
              fill: `var(${nameColour})`,
              position: along === 'y' ? 'insideBottomRight' : top,
              ...(down === undefined ? {} : { offset: 4, dy: down }),
            },
          })}
    />
  );
});
