/** The lesson under way, below the experiment that its step has opened: the prediction beside the measurement. */
import { useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { useStore } from 'zustand';
import type { Claim } from '../../src/experiments/experiment';
import { sameRun } from '../../src/link/link';
import {
  isOtherCheck,
  otherCheck,
  peekingValue,
  raceValue,
  type OtherCheck,
} from '../../src/lessons/checks';
import { curveOf, measuredCurve, type MeasuredValue } from '../../src/lessons/curves';
import { checkedPage, type LessonStep, type Option } from '../../src/lessons/lesson';
import { scoreChoice, scoreDrawing, scoreNumber, type Drawing } from '../../src/lessons/score';
import type { PageSettings } from '../../src/link/pages';
import { sameRace, trainingOf } from '../../src/settings/training';
import { fixed, interval, significant } from '../format/numbers';
import { Prose } from '../format/Prose';
import { useAddress, useAddressState } from '../state/address-react';
import { useAnswer, useLab, useLabState } from '../state/react';
import { endLesson, isOwed, lessonStore, raceStore, toStep, type Answer } from './session';
import './lessons.css';

export default function LessonDock() {
  const { lesson, step: at, answers } = useStore(lessonStore);
  const owed = useStore(lessonStore, isOwed);
  const address = useAddress();
  const page = useAddressState((state) => state.page);
  const step = lesson?.steps[at];
  if (lesson === null || step === undefined) return null;
  const answer = answers[at];
  const here = !owed && page === step.opened.page;
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
        {here ? (
          <Found step={step} answer={answer} />
        ) : (
          <p>The step of the lesson waits on the page of lessons.</p>
        )}
      </div>
      {here && step.focus !== undefined && <Focus key={at} figure={step.focus} />}
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

/** How long a figure may take to come before nobody is taken to it any more, ms. */
const PATIENCE = 60_000;

/** The figure that the step names: marked, and brought into view once, when it comes. */
function Focus({ figure }: { figure: string }) {
  const [found, setFound] = useState<HTMLElement | null>(null);
  useEffect(() => {
    const find = () => document.querySelector<HTMLElement>(`[data-figure="${figure}"]`);
    const look = () => {
      const now = find();
      if (now === null) return;
      stop();
      setFound(now);
      // Whoever has scrolled since the page opened looks at something of their own choice.
      if (scrollY === 0) show(now);
    };
    const observer = new MutationObserver(look);
    const timer = setTimeout(() => stop(), PATIENCE);
    const stop = () => {
      observer.disconnect();
      clearTimeout(timer);
    };
    observer.observe(document.body, { childList: true, subtree: true });
    look();
    return stop;
  }, [figure]);
  const title = found?.querySelector('h3')?.textContent;
  return (
    <>
      {/* Letters, digits and hyphens alone, as the lesson's schema has it. */}
      <style>{`.figure[data-figure='${figure}']{outline:3px solid var(--accent);outline-offset:4px}`}</style>
      {found !== null && (
        <p className="small" data-testid="lesson-focus">
          Look at{' '}
          <button type="button" className="button-quiet" onClick={() => show(found, true)}>
            {title}
          </button>
        </p>
      )}
    </>
  );
}

/** @param focused where the keys go on from there */
function show(figure: HTMLElement, focused = false) {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  figure.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
  if (!focused) return;
  figure.tabIndex = -1;
  figure.focus({ preventScroll: true });
}

/** No more responses come by themselves; a run rests once the claims in view are decided. */
const OVER: ReadonlySet<string> = new Set(['finished', 'stopped', 'rested']);

function Found({ step, answer }: { step: LessonStep; answer: Answer | undefined }) {
  const after = step.after !== undefined && (
    <p>
      <Prose>{step.after}</Prose>
    </p>
  );
  if (answer === undefined || (step.check === undefined && answer.kind !== 'drawing')) {
    return (
      <>
        {step.ask?.kind === 'choice' && answer?.kind === 'choice' && (
          <p>{chosenWords(step.ask.options, answer.chosen)}</p>
        )}
        {after}
      </>
    );
  }
  const found = { step, answer, after };
  if (step.check === undefined || !isOtherCheck(step.check)) return <OfPage {...found} />;
  const check = step.check;
  return otherCheck(check).of === 'race' ? (
    <OfRace {...found} check={check} />
  ) : (
    <OfPeeking {...found} check={check} />
  );
}

interface FoundProps {
  step: LessonStep;
  answer: Answer;
  after: ReactNode;
}

/** What the page of the step has measured of the run in view. */
function OfPage({ step, answer, after }: FoundProps) {
  const page = checkedPage(step);
  const run = useLabState((state) => state.run);
  const measurement = useLabState(({ measurements }) =>
    page === null ? undefined : measurements[page],
  );
  const own = run?.settings && sameRun(run.settings, step.opened.run);
  if (!own) return <p>The run in view has other settings than the step; start its own run.</p>;
  if (measurement?.run !== run.id) return <p>The measurement is on its way.</p>;
  const live = !OVER.has(run.progress.phase);
  const said = foundWords(step, answer, measurement.result, live);
  if (typeof said === 'string') return <p>{said}</p>;
  return <Score said={said} after={!live && after} />;
}

/** The race that was trained here, if it is the step's. */
function OfRace({ step, answer, after, check }: FoundProps & { check: OtherCheck }) {
  const race = useStore(raceStore, (state) => state.race);
  const asked = trainingOf(step.opened.view as PageSettings<'train'>);
  if (race === null) return <p>Press Train: the race starts then, and is measured at its end.</p>;
  if (typeof asked === 'string' || !sameRace(race.settings, asked))
    return <p>The race on view has other settings than the step; train its own.</p>;
  if (!race.over) return <p>The race is under way; it is measured at its end.</p>;
  const value = raceValue(check, race);
  if (value === null) return <p>The race did not end with what the step asks for.</p>;
  return <Score said={valueWords(step, answer, value, false)} after={after} />;
}

/** Computed on request, the first hundred runs. */
function OfPeeking({ step, answer, after, check }: FoundProps & { check: OtherCheck }) {
  const lab = useLab();
  const peeked = useAnswer('lesson', () => lab.peeking(0));
  if (peeked.status === 'waiting') return <p>The measurement is on its way.</p>;
  if (peeked.status === 'refused') return <p>{peeked.message}</p>;
  const value = peekingValue(check, peeked.value);
  return <Score said={valueWords(step, answer, value, false)} after={after} />;
}

function Score({ said, after }: { said: ReactNode; after: ReactNode }) {
  return (
    <>
      <p data-testid="lesson-score">{said}</p>
      {after}
    </>
  );
}

const chosenWords = (options: readonly Option[], chosen: number) =>
  `You chose “${options[chosen]?.text ?? ''}”.`;

function valueWords(step: LessonStep, answer: Answer, value: MeasuredValue, live: boolean) {
  if (answer.kind === 'drawing') return '';
  return (
    <>
      Measured{live ? ' so far' : ''}: <b>{significant(value.measured, 3)}</b>
      {value.interval !== null && `, interval ${interval(value.interval)}`}.{' '}
      {scoreWords(step, answer, value)}
    </>
  );
}

/** The measurement beside the answer; a mere string where there is none yet. */
function foundWords(
  step: LessonStep,
  answer: Answer,
  result: { claims: readonly Claim[] },
  live: boolean,
): ReactElement | string {
  if (answer.kind === 'drawing') return drawingWords(step, answer, result, live);
  const claim = result.claims.find(({ id }) => id === step.check);
  if (claim === undefined) return `The page has no claim “${step.check ?? ''}” to hold it against.`;
  if (claim.measured === null) return claim.note ?? 'The claim could not be measured.';
  return valueWords(step, answer, { measured: claim.measured, interval: claim.interval }, live);
}

function drawingWords(
  { ask }: LessonStep,
  drawing: Drawing,
  result: unknown,
  live: boolean,
): ReactElement | string {
  if (ask?.kind !== 'draw') return '';
  const { x, y } = curveOf(ask.curve);
  const axes = { x: x.kind, y: y.kind };
  const score = scoreDrawing(drawing, axes, measuredCurve(ask.curve, result));
  const { points, inside, median, farthest, powers } = score;
  if (points.length === 0) return 'No measured point lies where you drew yet.';
  return (
    <>
      Your curve runs through the interval at{' '}
      <b>
        {inside} of {points.length}
      </b>{' '}
      measured points{live ? ' so far' : ''}.
      {median !== null &&
        farthest !== null &&
        ` Half of the points are at most ${significant(median, 2)} half-widths of their interval away from it; the farthest is ${significant(farthest.intervals ?? 0, 2)} away, at ${x.symbol} = ${significant(farthest.x, 3)}, where you drew ${significant(farthest.drawn, 2)} and ${significant(farthest.y, 2)} was measured.`}
      {powers !== null &&
        ` What you drew goes like ${x.symbol} to the power ${fixed(powers.drawn, 2)}, what was measured like ${fixed(powers.measured, 2)}.`}
    </>
  );
}

function scoreWords(
  { ask }: LessonStep,
  answer: Exclude<Answer, Drawing>,
  found: MeasuredValue,
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
  const said = chosenWords(options, answer.chosen);
  if (right < 0) return `${said} None of the answers fits the measurement.`;
  const unsure = sure ? '' : ' The interval leaves room for another answer.';
  return right === answer.chosen
    ? `${said} That is what was measured.${unsure}`
    : `${said} What was measured: “${options[right]?.text ?? ''}”.${unsure}`;
}
