/** All questions on two pages of paper, with room for a prediction and for what was measured. */
import type { Lesson, LessonStep } from '../../../src/lessons/lesson';
import { Prose } from '../../format/Prose';
import { scalesOf } from '../../lessons/Question';
import { curveOf } from '../../../src/lessons/curves';
import { useShipped } from './shipped';

/** Lessons on the first page. */
const HALF = 4;

export function Worksheet({ onBack }: { onBack(): void }) {
  const shipped = useShipped();
  return (
    <section className="worksheet">
      <p className="lesson-buttons">
        <button type="button" className="button" onClick={onBack}>
          Back to the lessons
        </button>
        <button type="button" className="button" onClick={() => print()}>
          Print
        </button>
      </p>
      <h2>GSPO Lab: say first, then measure</h2>
      <p className="worksheet-name">
        Name <i /> Date <i />
      </p>
      {typeof shipped === 'string' && <p className="notice notice-bad">{shipped}</p>}
      {Array.isArray(shipped) && (
        <>
          {[shipped.slice(0, HALF), shipped.slice(HALF)].map((lessons, i) => (
            <div key={i} className="worksheet-columns">
              {lessons.map((lesson) => (
                <Sheet key={lesson.id} lesson={lesson} />
              ))}
            </div>
          ))}
        </>
      )}
    </section>
  );
}

function Sheet({ lesson: { title, steps } }: { lesson: Lesson }) {
  return (
    <article>
      <h3>{title}</h3>
      <ol>
        {steps.map((step, i) => (
          <li key={i}>
            <Prose>{step.ask?.question ?? step.text}</Prose>
            <Room step={step} />
          </li>
        ))}
      </ol>
    </article>
  );
}

function Room({ step: { ask, check } }: { step: LessonStep }) {
  const measured = (
    <p className="worksheet-line">
      Measured <i /> interval <i />
    </p>
  );
  const because = (
    <p className="worksheet-line">
      Because <i />
    </p>
  );
  if (ask === undefined) return null;
  switch (ask.kind) {
    case 'choice':
      return (
        <>
          <ul className="worksheet-options">
            {ask.options.map(({ text }) => (
              <li key={text}>
                <Prose>{text}</Prose>
              </li>
            ))}
          </ul>
          {because}
          {check !== undefined && measured}
        </>
      );
    case 'number':
      return (
        <>
          <p className="worksheet-line">
            I say <i /> off by at most <i />
          </p>
          {because}
          {measured}
        </>
      );
    case 'draw':
      return <Axes ask={ask} />;
    default:
      return ask satisfies never;
  }
}

/** An empty chart, in millimetres. */
const WIDE = 72;
const TALL = 34;
const LEFT = 12;

function Axes({ ask }: { ask: Parameters<typeof scalesOf>[0] }) {
  const { x, y } = scalesOf(ask);
  const curve = curveOf(ask.curve);
  const across = (value: number) => LEFT + x.at(value) * (WIDE - LEFT - 3);
  const up = (value: number) => TALL - 7 - y.at(value) * (TALL - 11);
  return (
    <svg
      className="worksheet-axes"
      viewBox={`0 0 ${WIDE} ${TALL}`}
      role="img"
      aria-label={`Empty axes: ${curve.y.label} against ${curve.x.label}`}
    >
      {x.ticks.map(({ value, label }) => (
        <g key={label}>
          <path d={`M${across(value)} 4V${TALL - 7}`} />
          <text x={across(value)} y={TALL - 3.8} textAnchor="middle">
            {label}
          </text>
        </g>
      ))}
      {y.ticks.map(({ value, label }) => (
        <g key={label}>
          <path d={`M${LEFT} ${up(value)}H${WIDE - 3}`} />
          <text x={LEFT - 1} y={up(value) + 0.9} textAnchor="end">
            {label}
          </text>
        </g>
      ))}
      <text x={LEFT} y={2.6}>
        {curve.y.label}
      </text>
      <text x={WIDE - 3} y={TALL - 0.6} textAnchor="end">
        {curve.x.label}
      </text>
    </svg>
  );
}
