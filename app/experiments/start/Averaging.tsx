/**
 * One recorded response, token by token: log-ratios as bars, their mean so far as a line that settles as the response
 * grows. Contract: plays once and stops; stands complete where a person wants less motion; can be drawn by hand.
 */
import { useEffect, useRef, useState } from 'react';
import type { SequenceDetail } from '../../../src/engine/lab/protocol';
import type { Recording } from '../../state/recording';
import { Figure } from '../../figures/Figure';
import { signed, significant } from '../../format/numbers';
import { stampOfRecorded } from '../../runs/stamp';
import { useWidth } from '../../charts/hooks';
import { linearScale } from '../../charts/scale';

const HEIGHT = 250;
const LEFT = 58;
/** px of the page that the picture has where nothing has been measured yet */
const USUAL = 760;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 34;
/** ms from the first token to the last */
const TAKES = 6000;

const wantsStillness = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export function Averaging({ recording }: { recording: Recording<SequenceDetail> }) {
  const { tokens, prompt, response } = recording.result;
  const length = tokens.length;
  const [shown, setShown] = useState(() => (wantsStillness() ? length : 1));
  const [playing, setPlaying] = useState(() => !wantsStillness());
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => setShown((t) => Math.min(length, t + 1)), TAKES / length);
    return () => clearInterval(timer);
  }, [playing, length]);
  const done = shown === length;
  const last = tokens[shown - 1];
  const mean = last?.runningMean ?? 0;
  return (
    <Figure
      title="From token ratios to one weight"
      recorded
      stamp={() => stampOfRecorded(recording)}
      table={() => ({
        columns: ['t', 'token', 'log π_old', 'log π_θ', 'd', 'mean of d so far', 's so far'],
        rows: tokens.map(({ text, logpOld, logpNew, logRatio, runningMean }, t) => [
          String(t + 1),
          text,
          significant(logpOld, 6),
          significant(logpNew, 6),
          significant(logRatio, 4),
          significant(runningMean, 4),
          significant(Math.exp(runningMean), 7),
        ]),
      })}
      controls={
        <button
          type="button"
          className="button-quiet"
          onClick={() => {
            if (playing && !done) return setPlaying(false);
            if (done) setShown(1);
            setPlaying(true);
          }}
        >
          {playing && !done ? 'Pause' : done ? 'Play again' : 'Play'}
        </button>
      }
      caption={
        <>
          A policy answers <code>{prompt}</code> with <code>{response}</code>, in {length} tokens.
          Bars: how much more (up) or less (down) likely one step of training made each token. Line:
          their mean so far. One token moves it much at first and little at the end; its exponential
          after the last token is the weight s of the whole response.
        </>
      }
    >
      <Picture tokens={tokens} shown={shown} />
      <div className="averaging-foot">
        <label>
          Tokens so far
          <input
            type="range"
            min={1}
            max={length}
            value={shown}
            onChange={(event) => {
              setPlaying(false);
              setShown(Number(event.currentTarget.value));
            }}
          />
        </label>
        <output data-testid="averaging">
          {shown} of {length} tokens: mean of d = {signed(mean, 5)} nats, s ={' '}
          <b>{Math.exp(mean).toFixed(5)}</b>
        </output>
      </div>
    </Figure>
  );
}

function Picture({ tokens, shown }: { tokens: SequenceDetail['tokens']; shown: number }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box) || USUAL;
  const reach = 1.08 * Math.max(...tokens.map(({ logRatio }) => Math.abs(logRatio)));
  const y = linearScale([-reach, reach], 5);
  const py = (value: number) => TOP + ((reach - value) / (2 * reach)) * (HEIGHT - TOP - BOTTOM);
  const step = (width - LEFT - RIGHT) / tokens.length;
  const px = (t: number) => LEFT + (t + 0.5) * step;
  const seen = tokens.slice(0, shown);
  const line = seen.map(({ runningMean }, t) => `${px(t)},${py(runningMean)}`).join(' ');
  const end = seen.at(-1)?.runningMean ?? 0;
  return (
    <div ref={box}>
      <svg
        className="averaging"
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`Log-ratios of ${tokens.length} tokens and their running mean`}
      >
        {y.ticks.map(({ value: tick }) => (
          <g key={tick}>
            <line
              className="averaging-grid"
              x1={LEFT}
              x2={width - RIGHT}
              y1={py(tick)}
              y2={py(tick)}
            />
            <text className="averaging-tick" x={LEFT - 6} y={py(tick)} dy="0.32em" textAnchor="end">
              {signed(tick, 2)}
            </text>
          </g>
        ))}
        <line className="averaging-zero" x1={LEFT} x2={width - RIGHT} y1={py(0)} y2={py(0)} />
        {tokens.map(({ text, logRatio }, t) => (
          <g key={t} className={t < shown ? 'averaging-seen' : 'averaging-unseen'}>
            <rect
              className={logRatio >= 0 ? 'averaging-up' : 'averaging-down'}
              x={px(t) - 0.36 * step}
              width={0.72 * step}
              y={Math.min(py(0), py(logRatio))}
              height={Math.max(0.5, Math.abs(py(logRatio) - py(0)))}
            />
            <text
              className="averaging-token"
              x={px(t)}
              y={HEIGHT - 12}
              textAnchor="middle"
              fontSize={Math.min(13, 1.5 * step)}
            >
              {text}
            </text>
          </g>
        ))}
        <polyline className="averaging-mean" points={line} />
        <circle className="averaging-end" cx={px(shown - 1)} cy={py(end)} r="5" />
        <text
          className="averaging-tick"
          transform={`translate(14 ${HEIGHT / 2}) rotate(-90)`}
          textAnchor="middle"
        >
          log-ratio d, nats
        </text>
      </svg>
    </div>
  );
}
