/** The lesson under way, below the experiment that its step has opened: the prediction beside the measurement. */
import { useStore } from 'zustand';
import type { Claim } from '../../src/experiments/experiment';
import { sameRun } from '../../src/link/link';
import { checkedPage, type LessonStep } from '../../src/lessons/lesson';
import { scoreChoice, scoreNumber } from '../../src/lessons/score';
import { interval, significant } from '../format/numbers';
import { Prose } from '../format/Prose';
import { useAddress, useAddressState } from '../state/address-react';
import { useLabState } from '../state/react';
import { endLesson, lessonStore, toStep, type Answer } from './session';
import './lessons.css';

export default function LessonDock() {
  const { lesson, step: at, answers } = useStore(lessonStore);
  const address = useAddress();
  const page = useAddressState((state) => state.page);
  const step = lesson?.steps[at];
  if (lesson === null || step === undefined) return null;
  const answer = answers[at];
  const owed = step.ask !== undefined && answer === undefined;
  const move = (to: number) => {
    toStep(to);
    address.go('lessons');
  };
  return (
    <section className="lesson-dock" aria-label="Lesson" data-testid="lesson-dock">
      <p className="small muted">
        {lesson.title}, step {at + 1} of {lesson.steps.length}
      </p>
      <div role="status">
        {owed || page !== step.opened.page ? (
          <p>The step of the lesson waits on the page of lessons.</p>
        ) : (
          <Found step={step} answer={answer} />
        )}
      </div>
      <p className="lesson-buttons">
        <button type="button" className="button" onClick={() => move(at)}>
          Back to the step
        </button>
        {at + 1 < lesson.steps.length && !owed && (
          <button type="button" className="button button-main" onClick={() => move(at + 1)}>
            Next step
          </button>
        )}
        <button type="button" className="button" onClick={endLesson}>
          End the lesson
        </button>
      </p>
    </section>
  );
}

/** No more responses come by themselves; a run rests once the claims in view are decided. */
const OVER: ReadonlySet<string> = new Set(['finished', 'stopped', 'rested']);

function Found({ step, answer }: { step: LessonStep; answer: Answer | undefined }) {
  const page = checkedPage(step);
  const run = useLabState((state) => state.run);
  const measurement = useLabState(({ measurements }) =>
    page === null ? undefined : measurements[page],
  );
  const after = step.after !== undefined && (
    <p>
      <Prose>{step.after}</Prose>
    </p>
  );
  if (page === null || answer === undefined) return after || null;
  const own = run?.settings && sameRun(run.settings, step.opened.run);
  const claims: readonly Claim[] =
    own && measurement?.run === run.id ? measurement.result.claims : [];
  const claim = claims.find(({ id }) => id === step.check);
  if (!own) return <p>The run in view has other settings than the step; start its own run.</p>;
  if (claim === undefined) return <p>The measurement is on its way.</p>;
  if (claim.measured === null) return <p>{claim.note ?? 'The claim could not be measured.'}</p>;
  const live = !OVER.has(run.progress.phase);
  return (
    <>
      <p data-testid="lesson-score">
        Measured{live ? ' so far' : ''}: <b>{significant(claim.measured, 3)}</b>
        {claim.interval !== null && `, interval ${interval(claim.interval)}`}.{' '}
        {scoreWords(step, answer, { measured: claim.measured, interval: claim.interval })}
      </p>
      {!live && after}
    </>
  );
}

function scoreWords(
  { ask }: LessonStep,
  answer: Answer,
  found: Parameters<typeof scoreNumber>[2],
): string {
  if (answer.kind === 'number') {
    const { covered, intervals } = scoreNumber(answer.value, answer.error, found);
    const said = `You said ${significant(answer.value, 3)} ± ${significant(answer.error, 2)}, which ${covered ? 'covers it' : 'does not cover it'}.`;
    if (intervals === null) return said;
    return intervals <= 1
      ? `${said} Your number lies inside the interval.`
      : `${said} Your number is ${significant(intervals, 2)} half-widths of the interval away.`;
  }
  const options = ask?.kind === 'choice' ? ask.options : [];
  const { right, sure } = scoreChoice(options, found);
  const said = `You chose “${options[answer.chosen]?.text ?? ''}”.`;
  if (right < 0) return `${said} None of the answers fits the measurement.`;
  const unsure = sure ? '' : ' The interval leaves room for another answer.';
  return right === answer.chosen
    ? `${said} That is what was measured.${unsure}`
    : `${said} What was measured: “${options[right]?.text ?? ''}”.${unsure}`;
}
