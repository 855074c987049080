/** One response: its facts, its tokens coloured by log-ratio, the running mean of d_t, every number. */
import { Trans } from '@lingui/react/macro';
import { t as say } from '@lingui/core/macro';
import { useState, type KeyboardEvent } from 'react';
import type { SequenceDetail, SequenceToken } from '../../src/engine/lab/protocol';
import { fixed, signed, significant } from '../format/numbers';
import { Prose } from '../format/Prose';
import { colourBound, tokenColour } from './colour';
import { directionOf, shown } from './token-text';
import { lazy, Suspense } from 'react';

/** With the charts it draws, it comes when a response is opened. */
const RunningMean = lazy(() => import('./RunningMean'));
const MazeWalk = lazy(() => import('./MazeWalk'));

export function Trace({ sequence }: { sequence: SequenceDetail }) {
  const { tokens } = sequence;
  const [at, setAt] = useState(0);
  const bound = colourBound(tokens.map(({ logRatio }) => logRatio));
  return (
    <div className="trace">
      <Facts sequence={sequence} />
      <h3>{say`Tokens, by log-ratio`}</h3>
      <Scale bound={bound} />
      <Tokens sequence={sequence} bound={bound} at={at} onMove={setAt} />
      <Readout token={tokens[at]} t={at} length={tokens.length} />
      {sequence.walk && (
        <Suspense fallback={<div className="running-mean-room" />}>
          <MazeWalk walk={sequence.walk} at={at} />
        </Suspense>
      )}
      <h3>
        <Prose>{say`Running mean of d_t`}</Prose>
      </h3>
      <Suspense fallback={<div className="running-mean-room" />}>
        <RunningMean sequence={sequence} at={at} onMove={setAt} />
      </Suspense>
      <details>
        <summary>{say`Every token as a table`}</summary>
        <TokenTable tokens={tokens} />
      </details>
    </div>
  );
}

function Facts({ sequence }: { sequence: SequenceDetail }) {
  const s = Math.exp(sequence.logWeight);
  const facts: [string, string][] = [
    ['s', significant(s, 8)],
    [say`log s`, signed(sequence.logWeight, 8)],
    [say`tokens L`, String(sequence.length)],
    ['H_old', fixed(sequence.crossEntropyOld, 7)],
    ['H_θ', fixed(sequence.crossEntropyNew, 7)],
    ['PPL_old', significant(Math.exp(sequence.crossEntropyOld), 8)],
    ['PPL_θ', significant(Math.exp(sequence.crossEntropyNew), 8)],
    ['reward', significant(sequence.reward, 4)],
    ['advantage', signed(sequence.advantage, 4)],
    ['group', `#${sequence.group}`],
    ['ended', sequence.finished ? say`by itself` : say`cut at the limit`],
  ];
  if (sequence.shannonOld !== null && sequence.shannonNew !== null) {
    facts.push(
      [say`Shannon, old`, fixed(sequence.shannonOld, 6)],
      [say`Shannon, new`, fixed(sequence.shannonNew, 6)],
    );
  }
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>
            <Prose>{name}</Prose>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const STOPS = [-1, -0.5, -0.2, -0.05, 0, 0.05, 0.2, 0.5, 1];

function Scale({ bound }: { bound: number }) {
  return (
    <div className="colour-scale">
      <span>
        <Prose>{say`π_θ likes it less, d_t = −`}</Prose>
        {significant(bound, 1)}
      </span>
      <span className="colour-scale-bar" aria-hidden="true">
        {STOPS.map((stop) => (
          <span key={stop} style={{ background: tokenColour(stop * bound, bound) }} />
        ))}
      </span>
      <span>
        <Trans>+{significant(bound, 1)}, more</Trans>
      </span>
    </div>
  );
}

function Tokens({
  sequence,
  bound,
  at,
  onMove,
}: {
  sequence: SequenceDetail;
  bound: number;
  at: number;
  onMove: (t: number) => void;
}) {
  const { tokens, prompt } = sequence;
  const direction = directionOf(sequence.response);
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const last = tokens.length - 1;
    const [onward, back] =
      direction === 'ltr' ? ['ArrowRight', 'ArrowLeft'] : ['ArrowLeft', 'ArrowRight'];
    const next = {
      [onward]: Math.min(last, at + 1),
      [back]: Math.max(0, at - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onMove(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-token="${next}"]`)?.focus();
  };
  return (
    <div
      className="tokens"
      dir={direction}
      role="group"
      aria-label={say`Tokens; arrow keys move from one to the next`}
      onKeyDown={move}
    >
      <bdi className="token-prompt">{prompt}</bdi>
      {tokens.map((token, t) => (
        <button
          key={t}
          type="button"
          data-token={t}
          className={t === at ? 'token token-here' : 'token'}
          tabIndex={t === at ? 0 : -1}
          style={{ background: tokenColour(token.logRatio, bound) }}
          aria-label={say`token ${t + 1}, ${shown(token.text)}, log-ratio ${signed(token.logRatio, 4)}`}
          onPointerEnter={() => onMove(t)}
          onFocus={() => onMove(t)}
        >
          <bdi>{shown(token.text)}</bdi>
        </button>
      ))}
    </div>
  );
}

function Readout({
  token,
  t,
  length,
}: {
  token: SequenceToken | undefined;
  t: number;
  length: number;
}) {
  if (token === undefined) return null;
  const entropy = (x: number | null) => (x === null ? 'unknown' : fixed(x, 6));
  return (
    <dl className="readout" data-testid="readout">
      <div className="readout-token">
        <dt>
          <Trans>
            t = {t + 1} of {length}
          </Trans>
        </dt>
        <dd>
          <code>
            <bdi>{shown(token.text)}</bdi>
          </code>
        </dd>
      </div>
      <div>
        <dt>
          <Prose>{say`log π_old`}</Prose>
        </dt>
        <dd>{fixed(token.logpOld, 7)}</dd>
      </div>
      <div>
        <dt>
          <Prose>{say`log π_θ`}</Prose>
        </dt>
        <dd>{fixed(token.logpNew, 7)}</dd>
      </div>
      <div>
        <dt>
          <Prose>d_t</Prose>
        </dt>
        <dd>{signed(token.logRatio, 7)}</dd>
      </div>
      <div>
        <dt>
          <Prose>r_t</Prose>
        </dt>
        <dd>{significant(Math.exp(token.logRatio), 7)}</dd>
      </div>
      <div>
        <dt>{say`mean of d`}</dt>
        <dd>{signed(token.runningMean, 7)}</dd>
      </div>
      <div>
        <dt>{say`entropy, old`}</dt>
        <dd>{entropy(token.entropyOld)}</dd>
      </div>
      <div>
        <dt>{say`entropy, new`}</dt>
        <dd>{entropy(token.entropyNew)}</dd>
      </div>
    </dl>
  );
}

function TokenTable({ tokens }: { tokens: readonly SequenceToken[] }) {
  return (
    <div className="table-scroll" role="region" aria-label={say`Tokens, as a table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {['t', 'token', 'log π_old', 'log π_θ', 'd_t', say`mean of d`, 'H old', 'H new'].map(
              (name) => (
                <th key={name} scope="col">
                  <Prose>{name}</Prose>
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {tokens.map((token, t) => (
            <tr key={t}>
              <td>{t + 1}</td>
              <td>
                <code>
                  <bdi>{shown(token.text)}</bdi>
                </code>
              </td>
              <td>{fixed(token.logpOld, 6)}</td>
              <td>{fixed(token.logpNew, 6)}</td>
              <td>{signed(token.logRatio, 6)}</td>
              <td>{signed(token.runningMean, 6)}</td>
              <td>{token.entropyOld === null ? '' : fixed(token.entropyOld, 4)}</td>
              <td>{token.entropyNew === null ? '' : fixed(token.entropyNew, 4)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
