/** Lessons: those that ship are good, and a hostile file is refused with a sentence that says where. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLAIM_FAMILIES } from '../experiments/claims';
import { isOtherCheck, peekingValue, raceValue } from './checks';
import { checkedPage, MAX_LESSON_LENGTH, readLesson } from './lesson';
import { SHIPPED_LESSONS } from './shipped';
import { drawnAt, scoreChoice, scoreDrawing, scoreNumber } from './score';

const FOLDER = new URL('../../public/lessons/', import.meta.url);

const STEP = { text: 'Look.', link: '#/variance?v=3&source=synthetic', minutes: 2 };
const lessonOf = (more: object = {}, step: object = {}) =>
  JSON.stringify({
    ...{ id: 'own', title: 'My own', level: 1, minutes: 5 },
    steps: [STEP, { ...STEP, ...step }],
    ...more,
  });
const choiceOf = (...options: object[]) => ({
  ask: { kind: 'choice', question: 'Which?', options },
  check: 'variance.slope',
});
const NUMBER = { kind: 'number', question: 'How much?' };
const DRAW = { kind: 'draw', question: 'How?', curve: 'variance.log-s', x: [2, 200], y: [1, 9] };

describe('a lesson that ships', () => {
  test('is listed', () => {
    const files = readdirSync(FOLDER).map((name) => name.replace(/\.json$/, ''));
    expect(files.sort()).toEqual([...SHIPPED_LESSONS].sort());
  });

  test.each(SHIPPED_LESSONS)('%s is valid, and its claims are those of its pages', (id) => {
    const { lesson, refused } = readLesson(readFileSync(new URL(`${id}.json`, FOLDER), 'utf8'));
    expect(refused).toBe(null);
    expect(lesson?.id).toBe(id);
    const steps = lesson?.steps ?? [];
    expect(steps.reduce((sum, step) => sum + step.minutes, 0)).toBe(lesson?.minutes);
    for (const step of steps) {
      if (step.check !== undefined && isOtherCheck(step.check)) continue;
      const page = checkedPage(step);
      if (page === null || step.ask?.kind === 'draw') continue;
      expect(CLAIM_FAMILIES[page].map((claim) => claim.id)).toContain(step.check);
    }
    expect(steps.some(({ check }) => check !== undefined)).toBe(true);
  });
});

test('the lessons together are one of 45 minutes, at three levels', () => {
  const lessons = SHIPPED_LESSONS.map(
    (id) => readLesson(readFileSync(new URL(`${id}.json`, FOLDER), 'utf8')).lesson,
  );
  expect(lessons.reduce((sum, lesson) => sum + (lesson?.minutes ?? NaN), 0)).toBe(45);
  const levels = lessons.map((lesson) => lesson?.level);
  expect(levels).toEqual([...levels].sort());
  expect(new Set(levels)).toEqual(new Set([1, 2, 3]));
  for (const lesson of lessons) expect(lesson?.notes).toBeDefined();
});

describe('a file of a stranger', () => {
  test('that is a lesson is one, and a script in a text stays text', () => {
    const script = '<script>alert(1)</script> & <img src=x onerror=alert(2)>';
    const { lesson, refused } = readLesson(lessonOf({}, { text: script }));
    expect(refused).toBe(null);
    expect(lesson?.steps[1]?.text).toBe(script);
    expect(lesson?.steps[1]?.opened.page).toBe('variance');
  });

  test.each([
    ['https://example.org/#/variance', /^Step 2 .*"https:.*does not lead into this lab/],
    ['javascript:alert(1)', /^Step 2 .*does not lead into this lab/],
    ['//example.org/', /^Step 2 .*does not lead into this lab/],
    ['#/variance/../x', /^Step 2 .*does not lead into this lab/],
    ['#/nowhere?v=3', /^Step 2 .*a page "nowhere", which this lab does not have/],
    ['#/constructor', /^Step 2 .*"constructor"/],
    [
      '#/variance?v=3&source=synthetic&sigma=many',
      /^Step 2 .*not understood whole: .*sigma = "many"/,
    ],
    ['#/variance?v=3&colour=red', /^Step 2 .*"colour"/],
  ])('with the link %s is refused', (link, sentence) => {
    expect(readLesson(lessonOf({}, { link })).refused).toMatch(sentence);
  });

  test.each([
    ['10 MB', 'x'.repeat(10_000_000), /at most 200 kB; this file has 10000 kB/],
    ['no JSON', '{"id": ', /not JSON/],
    ['a list', '[]', /no lesson/],
    ['null', 'null', /no lesson/],
    ['no steps', lessonOf({ steps: [] }), /steps must have at least one step/],
    ['too many steps', lessonOf({ steps: Array(41).fill(STEP) }), /at most 40 steps/],
    ['a title that is no text', lessonOf({ title: 3 }), /title must be string, and is "3"/],
    ['no title', lessonOf({ title: undefined }), /title is missing/],
    ['a level of its own', lessonOf({ level: 9 }), /level must be 1, 2 or 3/],
    ['a setting unknown', lessonOf({ html: '<b>' }), /"html", which lessons do not know/],
    ['a step’s unknown', lessonOf({}, { onclick: 'x' }), /"onclick" at steps 2, which/],
    ['a step without minutes', lessonOf({}, { minutes: undefined }), /steps 2 minutes is missing/],
    ['text that is no text', lessonOf({}, { text: ['a'] }), /steps 2 text must be string/],
    ['text that hides', lessonOf({}, { text: 'a\u202Eb' }), /steps 2 text must be plain text/],
    ['an empty text', lessonOf({}, { text: ' \n' }), /steps 2 text must not be empty/],
    [
      'an option whose range is empty',
      lessonOf({}, choiceOf({ text: 'a', from: 1, to: 1 }, { text: 'b', from: 2 })),
      /^Step 2 .*range is empty/,
    ],
    [
      'a claim and no range',
      lessonOf({}, choiceOf({ text: 'a' }, { text: 'b' })),
      /^Step 2 .*no option says/,
    ],
    [
      'a range and no claim',
      lessonOf({}, { ...choiceOf({ text: 'a', to: 1 }, { text: 'b' }), check: undefined }),
      /^Step 2 .*checks no claim/,
    ],
    ['an ask of no kind', lessonOf({}, { ask: { kind: 'sing' } }), /"number", "choice" or "draw"/],
    ['a curve of no kind', lessonOf({}, { ask: { ...DRAW, curve: 'toString' } }), /must be one of/],
    [
      'a curve of elsewhere',
      lessonOf({}, { ask: { ...DRAW, curve: 'clipping.fixed' } }),
      /^Step 2 .*does not measure it/,
    ],
    ['a drawing with a claim', lessonOf({}, { ask: DRAW, check: 'variance.slope' }), /no "check"/],
    ['an axis turned', lessonOf({}, { ask: { ...DRAW, x: [5, 2] } }), /lower one first/],
    ['an axis of one end', lessonOf({}, { ask: { ...DRAW, x: [5] } }), /steps 2 ask x/],
    ['a logarithm of 0', lessonOf({}, { ask: { ...DRAW, y: [0, 1] } }), /^Step 2 .*begins above 0/],
    ['a claim of elsewhere', lessonOf({}, { ask: NUMBER, check: 'weights.pareto' }), /not measure/],
    ['a check without a question', lessonOf({}, { check: 'variance.slope' }), /asks nothing/],
    ['a focus that is a selector', lessonOf({}, { focus: "x'] *{" }), /the name of a figure/],
    [
      'options that are right at once',
      lessonOf(
        {},
        {
          ask: {
            kind: 'choice',
            question: 'Which?',
            options: [
              { text: 'a', to: 1 },
              { text: 'b', from: 0 },
            ],
          },
          check: 'variance.slope',
        },
      ),
      /^Step 2 .*right at once/,
    ],
  ])('with %s is refused', (_, text, sentence) => {
    const { lesson, refused } = readLesson(text);
    expect(lesson).toBe(null);
    expect(refused).toMatch(sentence);
    expect(refused?.length).toBeLessThan(300);
  });

  test('a name on the prototype is no setting', () => {
    const text = lessonOf().replace('{', '{"__proto__": {"title": "x"}, ');
    expect(readLesson(text).refused).not.toBe(null);
  });

  test('whatever it holds, nothing throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(readLesson(text).lesson).toBe(null);
      }),
    );
    const good = lessonOf();
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), (at, other) => {
        const { lesson, refused } = readLesson(good.slice(0, at) + other + good.slice(at + 1));
        expect(lesson === null).toBe(refused !== null);
      }),
    );
    expect(good.length).toBeLessThan(MAX_LESSON_LENGTH);
  });
});

describe('what is no claim of a page', () => {
  test('runs in which an interval cried wolf, of a hundred', () => {
    const found = { from: 1, runs: 100, looks: 31, wrong: { fixed: 23, anytime: 2 }, shown: [] };
    const fixed = peekingValue('variance.peeking-fixed', found);
    expect(fixed.measured).toBe(23);
    expect(fixed.interval?.map(Math.round)).toEqual([16, 32]);
    expect(peekingValue('variance.peeking-anytime', found).measured).toBe(2);
  });

  test('a race: by objective, not by place; null where there is nothing to divide by', () => {
    const report = (verl: number, correct: number | null) => ({
      clip: { verl },
      heldOut: correct === null ? null : { correct, prompts: 50 },
    });
    const race = {
      settings: { racers: [{ objective: 'grpo' }, { objective: 'gspo' }] },
      reports: [
        [report(0.001, null), report(0.003, 30)],
        [report(0.08, null), report(0.04, 40)],
      ],
    };
    expect(raceValue('train.clipped-times', race)).toEqual({ measured: 30, interval: null });
    const gain = raceValue('train.held-out', race);
    expect(gain?.measured).toBeCloseTo(20);
    expect(gain?.interval?.[0]).toBeCloseTo(20 - 196 * Math.sqrt(0.0048 + 0.0032));
    expect(raceValue('train.held-out', { ...race, reports: [[], []] })).toBe(null);
    // the mean of each racer's own steps, of however many
    const [short = [], long = []] = race.reports;
    const uneven = { ...race, reports: [short.slice(0, 1), long] };
    expect(raceValue('train.clipped-times', uneven)?.measured).toBeCloseTo(60);
    const none = [[report(0, 1)], [report(0.1, 1)]];
    expect(raceValue('train.clipped-times', { ...race, reports: none })).toBe(null);
    const alone = { ...race, settings: { racers: [{ objective: 'gspo' }] } };
    expect(raceValue('train.held-out', alone)).toBe(null);
  });
});

describe('the score', () => {
  test('of a number counts in half-widths of the interval, on the side of the prediction', () => {
    const found = { measured: -1, interval: [-1.1, -0.8] as const };
    expect(scoreNumber(-0.9, 0.2, found)).toMatchObject({ covered: true });
    expect(scoreNumber(-0.9, 0.2, found).intervals).toBeCloseTo(0.5);
    expect(scoreNumber(-1.3, 0.2, found)).toMatchObject({ covered: false });
    expect(scoreNumber(-1.3, 0.2, found).intervals).toBeCloseTo(3);
    expect(scoreNumber(1, 2, { measured: 0, interval: null }).intervals).toBe(null);
    expect(scoreNumber(1, 2, { measured: 3, interval: null }).covered).toBe(true);
  });

  test('of a choice follows from the measurement, and is sure where its interval is', () => {
    const options = [{ text: 'a', to: 0 }, { text: 'b', from: 0, to: 1 }, { text: 'c' }];
    expect(scoreChoice(options, { measured: 0.5, interval: [0.4, 0.6] })).toEqual({
      right: 1,
      sure: true,
    });
    expect(scoreChoice(options, { measured: 0.5, interval: [-0.1, 0.6] })).toEqual({
      right: 1,
      sure: false,
    });
    expect(scoreChoice(options, { measured: 2, interval: null })).toEqual({
      right: -1,
      sure: false,
    });
    // an end belongs to the range that begins there
    expect(scoreChoice(options, { measured: 0, interval: null }).right).toBe(1);
    expect(scoreChoice(options, { measured: 1, interval: null }).right).toBe(-1);
  });

  test('of a drawing: between its handles on the axes it was drawn on, not beyond them', () => {
    const drawing = { x: [1, 100], y: [1, 0.01] };
    const log = { x: 'log', y: 'log' } as const;
    expect(drawnAt(drawing, log, 10)).toBeCloseTo(0.1);
    expect(drawnAt(drawing, { x: 'linear', y: 'linear' }, 50.5)).toBeCloseTo(0.505);
    expect(drawnAt(drawing, log, 100)).toBe(0.01);
    expect(drawnAt(drawing, log, 101)).toBe(null);
    expect(drawnAt(drawing, log, 0.9)).toBe(null);
    const measured = [
      { x: 1, y: 1, interval: [0.9, 1.1] },
      { x: 10, y: 0.05, interval: [0.03, 0.06] },
      { x: 100, y: 0.03, interval: [0.02, 0.05] },
      { x: 200, y: 0.02, interval: [0.01, 0.03] },
    ] as const;
    const score = scoreDrawing(drawing, log, measured);
    expect(score.points).toHaveLength(3);
    expect(score.inside).toBe(1);
    expect(score.farthest).toMatchObject({ x: 10 });
    expect(score.farthest?.intervals).toBeCloseTo(5);
    expect(score.median).toBeCloseTo(2);
    expect(score.powers?.drawn).toBeCloseTo(-1);
    expect(score.powers?.measured).toBeCloseTo(Math.log10(0.03) / 2);
    expect(scoreDrawing(drawing, { ...log, y: 'linear' }, measured).powers).toBe(null);
    expect(scoreDrawing(drawing, log, []).median).toBe(null);
    // a point without an interval says nothing of a drawing
    const bare = [{ x: 10, y: 0.05, interval: null }];
    expect(scoreDrawing(drawing, log, bare).points).toEqual([]);
  });
});
