/**
 * What a step asks, and its answer. Contract: an answer that was given is shown and stays as it is; a form is read by
 * `readAnswer`, which gives an answer or a sentence.
 */
import { useMemo } from 'react';
import { curveOf } from '../../src/lessons/curves';
import type { Ask } from '../../src/lessons/lesson';
import { DrawnCurve, type Handles } from '../charts/DrawnCurve';
import { linearScale, logScale, type Domain, type Scale } from '../charts/scale';
import { Prose } from '../format/Prose';
import type { Answer } from './session';

type DrawAsk = Extract<Ask, { kind: 'draw' }>;

/** The axes that a curve is drawn on: handles stand at the ticks of x. */
export function scalesOf({ curve, x, y }: DrawAsk): { x: Scale; y: Scale } {
  const declared = curveOf(curve);
  const scale = (kind: 'log' | 'linear', ends: Domain) =>
    kind === 'log' ? logScale(ends, 6) : linearScale(ends, 6);
  return { x: scale(declared.x.kind, x), y: scale(declared.y.kind, y) };
}

interface QuestionProps {
  ask: Ask;
  answer: Answer | undefined;
  /** of a drawing under way; [] before */
  handles: Handles;
  onDraw(handles: Handles): void;
}

export function Question({ ask, answer, handles, onDraw }: QuestionProps) {
  return (
    <fieldset disabled={answer !== undefined}>
      <legend>
        <Prose>{ask.question}</Prose>
      </legend>
      {ask.kind === 'choice' &&
        ask.options.map(({ text }, i) => (
          <label key={i}>
            <input
              type="radio"
              name="choice"
              value={i}
              defaultChecked={answer?.kind === 'choice' && answer.chosen === i}
            />
            <span>
              <Prose>{text}</Prose>
            </span>
          </label>
        ))}
      {ask.kind === 'number' && (
        <>
          <label>
            Your number {ask.unit !== undefined && `(${ask.unit})`}
            <input
              name="value"
              autoComplete="off"
              defaultValue={answer?.kind === 'number' ? answer.value : ''}
            />
          </label>
          <label>
            off by at most
            <input
              name="error"
              autoComplete="off"
              defaultValue={answer?.kind === 'number' ? answer.error : ''}
            />
          </label>
        </>
      )}
      {ask.kind === 'draw' && (
        <Drawing ask={ask} answer={answer} handles={handles} onDraw={onDraw} />
      )}
    </fieldset>
  );
}

function Drawing({ ask, answer, handles, onDraw }: QuestionProps & { ask: DrawAsk }) {
  const { x, y } = useMemo(() => scalesOf(ask), [ask]);
  const curve = curveOf(ask.curve);
  const given = answer?.kind === 'drawing' ? answer.y : null;
  return (
    <>
      {given === null && (
        <p className="small muted">
          Draw with the pointer or a finger; or go from point to point with Tab and move each with
          the arrow keys.
        </p>
      )}
      <DrawnCurve
        label={`Your drawing: ${curve.title}`}
        x={x}
        y={y}
        xLabel={curve.x.label}
        yLabel={curve.y.label}
        height={320}
        handles={given ?? x.ticks.map((_, i) => handles[i] ?? null)}
        onDraw={given === null ? onDraw : null}
      />
    </>
  );
}

const readNumber = (field: FormDataEntryValue | null) => {
  const text = String(field ?? '')
    .trim()
    .replace(',', '.')
    .replace('−', '-');
  return text === '' ? NaN : Number(text);
};

/** @returns what was answered, or what is missing; a sentence */
export function readAnswer(ask: Ask, form: FormData, handles: Handles): Answer | string {
  switch (ask.kind) {
    case 'choice': {
      const chosen = form.get('choice');
      return chosen === null
        ? 'Choose an answer first.'
        : { kind: 'choice', chosen: Number(chosen) };
    }
    case 'number': {
      const [value, error] = [readNumber(form.get('value')), readNumber(form.get('error'))];
      if (!Number.isFinite(value) || !(error >= 0 && error < Infinity)) {
        return 'Type a number, and how far off it may be: a number from 0 on.';
      }
      return { kind: 'number', value, error };
    }
    case 'draw': {
      const { x } = scalesOf(ask);
      const missing = x.ticks.filter((_, i) => typeof handles[i] !== 'number');
      if (missing.length > 0) {
        return `Draw the whole curve first; not set yet: ${curveOf(ask.curve).x.label} ${missing.map(({ label }) => label).join(', ')}.`;
      }
      return {
        kind: 'drawing',
        x: x.ticks.map(({ value }) => value),
        y: x.ticks.map((_, i) => handles[i] ?? NaN),
      };
    }
    default:
      return ask satisfies never;
  }
}
