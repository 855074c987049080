import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random, STREAM } from '../math/philox';
import {
  arithmetic,
  drawProblem,
  evaluate,
  formatExpression,
  LIMIT,
  MAX_OPERATORS,
  parseExpression,
  reduceAt,
  validReductions,
  type Expression,
} from './arithmetic';
import { isHeldOut } from './task';
import { findTask } from './registry';
import { difficultyOf, heldOutPrompts, trainingPrompts } from './task';

const { verify } = arithmetic;

const expressions: fc.Arbitrary<Expression> = fc
  .array(fc.tuple(fc.constantFrom('+', '-', '*'), fc.integer({ min: -99, max: 99 })), {
    maxLength: 9,
  })
  .chain((rest) =>
    fc.integer({ min: -99, max: 99 }).map((first) => ({
      values: [first, ...rest.map(([, value]) => value)],
      operators: rest.map(([operator]) => operator),
    })),
  );

/** The language's own rules of precedence, as an independent judge. */
const byLanguage = (expression: Expression): number =>
  Number(new Function(`return ${formatExpression(expression)}`)());

describe('expressions', () => {
  test('printing and parsing are inverse', () => {
    fc.assert(
      fc.property(expressions, (e) => {
        expect(parseExpression(formatExpression(e))).toEqual(e);
      }),
    );
  });

  test('every valid reduction keeps the value, and there always is one', () => {
    fc.assert(
      fc.property(expressions, (e) => {
        // + 0: -1 * 0 is -0 to the language, and the same number
        const value = byLanguage(e) + 0;
        expect(evaluate(e) + 0).toBe(value);
        const valid = validReductions(e);
        expect(valid.length > 0).toBe(e.operators.length > 0);
        for (const i of valid) expect(byLanguage(reduceAt(e, i)) + 0).toBe(value);
      }),
    );
  });

  test('text that is no expression is refused', () => {
    for (const text of ['', '1+', '+1', '01', '(3)', '(-0)', '1 + 2', '1+-2', '2**3', '12345']) {
      expect(parseExpression(text), text).toBeUndefined();
    }
  });
});

describe('problems', () => {
  test('solutions are judged right, stay in range and fit the context', () => {
    const random = new Random(3, STREAM.prompts);
    for (let operators = 1; operators <= MAX_OPERATORS; operators++) {
      for (let i = 0; i < 60; i++) {
        const { prompt, solution } = drawProblem(random, operators);
        expect(verify(prompt, solution)).toEqual({ reward: 1, validSteps: 1 });
        expect(prompt.length + solution.length).toBeLessThanOrEqual(192);
        for (const number of solution.match(/\d+/g) ?? []) {
          expect(Number(number)).toBeLessThanOrEqual(LIMIT);
        }
      }
    }
  });

  test('held-out and training prompts never meet', () => {
    const random = new Random(5, STREAM.prompts);
    const range = { minOperators: 1, maxOperators: 9 };
    for (let i = 0; i < 200; i++) {
      expect(isHeldOut(arithmetic.draw(random, difficultyOf(range), false).prompt)).toBe(false);
      expect(isHeldOut(heldOutPrompts(arithmetic, 5, range, 1, i)[0])).toBe(true);
    }
  });
});

describe('verifier', () => {
  const prompt = '8*3+2-6=';
  test.each([
    ['24+2-6=24+(-4)=20;', 1, 1],
    ['24+2-6=26-6=20;', 1, 1],
    ['20;', 1, 0],
    ['24+2-6=24+(-4)=20', 0, 1],
    ['24+2-6=24+(-4)=21;', 0, 2 / 3],
    ['8*5-6=40-6=34;', 0, 2 / 3],
    ['', 0, 0],
    [';', 0, 0],
    ['24+2-6=oops=20;', 1, 1 / 3],
  ])('%j: reward %d, valid steps %d', (response, reward, validSteps) => {
    expect(verify(prompt, response)).toEqual({ reward, validSteps });
  });
});

describe('any task', () => {
  const range = { minOperators: 1, maxOperators: 9 };

  test('is found by the name that a policy gives it; another is refused by name', () => {
    expect(findTask('arithmetic')).toBe(arithmetic);
    expect(() => findTask('chess')).toThrow('no task "chess"; it has "arithmetic"');
  });

  test('prompts are the same however they are cut into batches, and sides never mix', () => {
    for (const draw of [heldOutPrompts, trainingPrompts]) {
      const all = draw(arithmetic, 7, range, 12, 0);
      expect([...draw(arithmetic, 7, range, 5, 0), ...draw(arithmetic, 7, range, 7, 5)]).toEqual(
        all,
      );
      expect(new Set(all.map(isHeldOut))).toEqual(new Set([draw === heldOutPrompts]));
    }
  });
});
