/**
 * The drawer in which every number is traced to its tokens: a list of responses, then one of them.
 * Contract: does not block the page; takes the focus when it opens and gives it back; Esc closes it.
 */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { useRef } from 'react';
import type { SequenceSummary } from '../../src/engine/lab/protocol';
import { count, signed, significant } from '../format/numbers';
import type { Inspection } from '../state/lab';
import { useAnswer, useLab, useLabState } from '../state/react';
import { useDrawer } from './drawer';
import { directionOf } from './token-text';
import { Trace } from './Trace';

export function Inspector() {
  const inspection = useLabState((state) => state.inspection);
  return inspection === null ? null : <Drawer inspection={inspection} />;
}

const LIST_LIMIT = 200;

function Drawer({ inspection }: { inspection: Inspection }) {
  const lab = useLab();
  const ref = useRef<HTMLDivElement>(null);
  useDrawer(ref, () => lab.closeInspector());

  const { sequence, title } = inspection;
  return (
    <div
      className="inspector"
      role="dialog"
      aria-label={sequence === null ? t`Responses: ${title}` : t`Response ${sequence}`}
      ref={ref}
      tabIndex={-1}
    >
      <div className="inspector-head">
        {sequence !== null && (
          <button
            type="button"
            className="button-quiet"
            onClick={() => lab.inspect({ ...inspection, sequence: null })}
          >
            {t`← List`}
          </button>
        )}
        <h2>{sequence === null ? title : t`Response #${sequence}`}</h2>
        <button
          type="button"
          className="button-quiet inspector-close"
          aria-label={t`Close the inspector`}
          onClick={() => lab.closeInspector()}
        >
          <Trans>
            Close <kbd>Esc</kbd>
          </Trans>
        </button>
      </div>
      <div className="inspector-body">
        {sequence === null ? (
          <List inspection={inspection} />
        ) : (
          <One run={inspection.run} index={sequence} />
        )}
      </div>
    </div>
  );
}

function One({ run, index }: { run: number; index: number }) {
  const lab = useLab();
  const answer = useAnswer(`${run}:${index}`, () => lab.sequence(run, index));
  if (answer.status === 'waiting') return <p className="muted">{t`Fetching its tokens…`}</p>;
  if (answer.status === 'refused') {
    return (
      <p className="notice notice-bad" role="alert">
        {answer.message}
      </p>
    );
  }
  return <Trace key={`${run}:${index}`} sequence={answer.value} />;
}

function List({ inspection }: { inspection: Inspection }) {
  const lab = useLab();
  const { run, low, high } = inspection;
  const answer = useAnswer(`${run}:${low}:${high}`, () =>
    lab.sequences(run, { low, high, limit: LIST_LIMIT }),
  );
  if (answer.status === 'waiting') return <p className="muted">{t`Fetching responses…`}</p>;
  if (answer.status === 'refused') {
    return (
      <p className="notice notice-bad" role="alert">
        {answer.message}
      </p>
    );
  }
  const { sequences, total } = answer.value;
  if (total === 0) {
    return <p className="muted">{t`No response has s in this range (s computed in float64).`}</p>;
  }
  return (
    <>
      <p className="small">
        <Trans>
          {plural(total, { one: '# response', other: '# responses' })} by float64
          {total > sequences.length && t`, the ${count(sequences.length)} most deviating shown`}.
        </Trans>
      </p>
      <ul className="sequence-list" data-testid="sequence-list">
        {sequences.map((sequence) => (
          <li key={sequence.index}>
            <button
              type="button"
              onClick={() => lab.inspect({ ...inspection, sequence: sequence.index })}
            >
              <Row sequence={sequence} />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Row({ sequence }: { sequence: SequenceSummary }) {
  const { index, prompt, response, length, reward, logWeight, finished } = sequence;
  return (
    <>
      <span className="sequence-text" dir={directionOf(response)}>
        <bdi className="sequence-prompt">{prompt}</bdi>
        <bdi>{response}</bdi>
      </span>
      <span className="sequence-facts">
        <span>#{index}</span>
        <span>L {length}</span>
        <span>
          <Trans>log s {signed(logWeight, 5)}</Trans>
        </span>
        <span>s {significant(Math.exp(logWeight), 6)}</span>
        <span className={reward > 0 ? 'reward-good' : ''}>
          <Trans>reward {significant(reward, 3)}</Trans>
        </span>
        {!finished && <span>{t`cut`}</span>}
      </span>
    </>
  );
}
