/**
 * One recorded response, token by token: log-ratios as bars, their mean so far as a line that settles as the response
 * grows. Contract: plays once and stops; stands complete where a person wants less motion; can be drawn by hand.
 */
import { useEffect, useMemo, useState } from 'react';
import { Line, ReferenceDot } from 'recharts';
import type { SequenceDetail } from '../../../src/engine/lab/protocol';
import type { Recording } from '../../state/recording';
import { Figure } from '../../figures/Figure';
import { signed, significant } from '../../format/numbers';
import { stampOfRecorded } from '../../runs/stamp';
import { BinBars } from '../../charts/BinBars';
import { Drawn } from '../../charts/frame';
import { ALONG_X, type Readable } from '../../charts/interaction';
import { Plot } from '../../charts/Plot';
import { Rule } from '../../charts/Rule';
import { linearScale } from '../../charts/scale';

const HEIGHT = 250;
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

const NOT_YET = 0.13;

function Picture({ tokens, shown }: { tokens: SequenceDetail['tokens']; shown: number }) {
  const length = tokens.length;
  const reach = 1.08 * Math.max(...tokens.map(({ logRatio }) => Math.abs(logRatio)));
  const x = useMemo(() => linearScale([0, length], 5), [length]);
  const y = useMemo(() => {
    const scale = linearScale([-1.2 * reach, reach], 5);
    return {
      ...scale,
      ticks: scale.ticks.map(({ value }) => ({ value, label: signed(value, 2) })),
    };
  }, [reach]);
  const bars = useMemo(
    () => tokens.map(({ logRatio }, t) => ({ from: t + 0.14, to: t + 0.86, count: logRatio })),
    [tokens],
  );
  const mean = useMemo(
    () => tokens.slice(0, shown).map(({ runningMean }, t) => ({ x: t + 0.5, y: runningMean })),
    [tokens, shown],
  );
  const end = mean.at(-1);
  const readable = useMemo(
    (): Readable => ({
      stops: tokens.map(({ logRatio }, t) => ({ x: t + 0.5, y: logRatio })),
      reach: ALONG_X,
      cross: true,
      read: (t) => {
        const token = tokens[t];
        if (token === undefined) return null;
        return {
          head: `token ${t + 1} of ${length}: ${token.text}`,
          rows: [
            { name: 'log-ratio d', value: signed(token.logRatio, 4) },
            { name: 'mean so far', value: signed(token.runningMean, 5) },
          ],
        };
      },
    }),
    [tokens, length],
  );
  return (
    <Plot
      label={`Log-ratios of ${length} tokens and their running mean`}
      x={x}
      y={y}
      yLabel="log-ratio d, nats"
      height={HEIGHT}
      left={58}
      xTicks={false}
      readable={readable}
    >
      <Rule along="y" at={0} className="averaging-zero" />
      <BinBars
        bins={bars}
        lookOf={(t, { count }) => ({
          className: count >= 0 ? 'averaging-up' : 'averaging-down',
          opacity: t < shown ? 1 : NOT_YET,
        })}
      />
      <Drawn at="top">
        {(frame) =>
          tokens.map(({ text }, t) => (
            <text
              key={t}
              className="averaging-token"
              x={frame.x(t + 0.5)}
              y={frame.height - 4}
              textAnchor="middle"
              fontSize={Math.min(13, (1.5 * frame.width) / length)}
              opacity={t < shown ? 1 : NOT_YET}
            >
              {text}
            </text>
          ))
        }
      </Drawn>
      <Line
        data={mean}
        dataKey="y"
        dot={false}
        activeDot={false}
        isAnimationActive={false}
        legendType="none"
        stroke="var(--ink)"
        strokeWidth={2.5}
      />
      {end !== undefined && <ReferenceDot className="averaging-end" x={end.x} y={end.y} r={5} />}
    </Plot>
  );
}
