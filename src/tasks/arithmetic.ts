/**
 * Task `arithmetic`: evaluate an expression step by step.
 *
 *     prompt    8*3+2-6=
 *     response  24+2-6=24+(-4)=20;
 *
 * Each step performs exactly one valid reduction, chosen at random among those that precedence allows;
 * so a good policy is uncertain about the order and certain about the rest. Contract: pure functions
 * of their arguments and of the random stream handed in; every value stays within +-99.
 */
import type { Random } from '../math/philox';
import { isHeldOut, type Difficulty, type Problem, type Task, type Verdict } from './task';

export type Operator = '+' | '-' | '*';

/** values.length = operators.length + 1 */
export interface Expression {
  values: number[];
  operators: Operator[];
}

export const LIMIT = 99;
export const MAX_OPERATORS = 9;

export const END = ';';
export const EQUALS = '=';

function formatValue(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}

export function formatExpression({ values, operators }: Expression): string {
  let text = formatValue(values[0]);
  operators.forEach((operator, i) => (text += operator + formatValue(values[i + 1])));
  return text;
}

const VALUE = /^(?:\d{1,4}|\(-\d{1,4}\))/;

/** Inverse of formatExpression; undefined for anything that it would not have written. */
export function parseExpression(text: string): Expression | undefined {
  const values: number[] = [];
  const operators: Operator[] = [];
  let rest = text;
  for (;;) {
    const match = VALUE.exec(rest)?.[0];
    if (match === undefined) return undefined;
    values.push(Number(match.replace(/[()]/g, '')));
    rest = rest.slice(match.length);
    if (rest === '') break;
    const operator = rest[0];
    if (operator !== '+' && operator !== '-' && operator !== '*') return undefined;
    operators.push(operator);
    rest = rest.slice(1);
  }
  const expression = { values, operators };
  return formatExpression(expression) === text ? expression : undefined;
}

/** Indices of operators that may be applied now without changing the expression's value. */
export function validReductions({ operators }: Expression): number[] {
  const valid: number[] = [];
  operators.forEach((operator, i) => {
    if (operator === '*') valid.push(i);
    else if ((i === 0 || operators[i - 1] === '+') && operators[i + 1] !== '*') valid.push(i);
  });
  return valid;
}

export function reduceAt({ values, operators }: Expression, i: number): Expression {
  const a = values[i];
  const b = values[i + 1];
  const operator = operators[i];
  const value = operator === '+' ? a + b : operator === '-' ? a - b : a * b;
  return {
    values: [...values.slice(0, i), value, ...values.slice(i + 2)],
    operators: operators.filter((_, j) => j !== i),
  };
}

export function evaluate(expression: Expression): number {
  let current = expression;
  while (current.operators.length > 0) {
    current = reduceAt(current, validReductions(current)[0]);
  }
  return current.values[0];
}

/** A random solution within +-LIMIT, or undefined when the path drawn leaves that range. */
function solve(expression: Expression, random: Random): string | undefined {
  let current = expression;
  let text = '';
  while (current.operators.length > 0) {
    const valid = validReductions(current);
    current = reduceAt(current, valid[random.integer(valid.length)]);
    if (current.values.some((value) => Math.abs(value) > LIMIT)) return undefined;
    text += formatExpression(current) + (current.operators.length > 0 ? EQUALS : END);
  }
  return text;
}

/**
 * One problem, its prompt ending in `=` and its solution in `;`, with exactly `operatorCount` operators. Consumes random numbers
 * until one fits.
 */
export function drawProblem(random: Random, operatorCount: number): Problem {
  for (;;) {
    const values = Array.from({ length: operatorCount + 1 }, () => 1 + random.integer(9));
    const operators = Array.from({ length: operatorCount }, (): Operator => {
      const u = random.uniform();
      return u < 0.4 ? '+' : u < 0.75 ? '-' : '*';
    });
    const expression = { values, operators };
    const solution = solve(expression, random);
    if (solution !== undefined) return { prompt: formatExpression(expression) + EQUALS, solution };
  }
}

/** A problem from the training or the held-out side, operator count uniform in the range. */
function draw(random: Random, { least, most }: Difficulty, heldOut: boolean): Problem {
  for (;;) {
    const problem = drawProblem(random, least + random.integer(most - least + 1));
    if (isHeldOut(problem.prompt) === heldOut) return problem;
  }
}

/**
 * Judge a response (with its `;` if it has one) to a prompt ending in `=`: reward 1 when it ends in `;` with
 * the right value, else 0; a step is valid when it is one valid reduction of the step before.
 */
function verify(prompt: string, response: string): Verdict {
  const start = parseExpression(prompt.replace(/=$/, ''));
  if (start === undefined) throw new Error(`not an arithmetic prompt: "${prompt}"`);
  const finished = response.endsWith(END);
  const steps = (finished ? response.slice(0, -1) : response).split(EQUALS);
  let valid = 0;
  let before: Expression | undefined = start;
  for (const step of steps) {
    const from: Expression | undefined = before;
    if (
      from !== undefined &&
      validReductions(from).some((i) => formatExpression(reduceAt(from, i)) === step)
    ) {
      valid++;
    }
    before = parseExpression(step);
  }
  const correct = finished && steps.at(-1) === formatValue(evaluate(start));
  return { reward: correct ? 1 : 0, validSteps: valid / steps.length };
}

/** As the shipped policies answer, within 15 %. */
function expectedTokens(prompt: string): number {
  const n = [...prompt.matchAll(/[+*-]/g)].length;
  return 1.3 * n * (n + 1);
}

export const arithmetic: Task = { id: 'arithmetic', draw, verify, expectedTokens };
