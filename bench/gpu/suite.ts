/**
 * The few functions of vitest that the GPU tests use, for Node on Dawn, where vitest itself does not go along:
 * the bundle of `npm run bench:gpu` has this file under the name `vitest`. Contract: tests are collected when
 * their files are imported and run one after another by `runTests`; a failure is told and the rest goes on.
 */
import { chai, JestChaiExpect, JestExtend } from '@vitest/expect';
import { message } from '../../src/message';

type Work = () => unknown;

/** A file or a `describe`. */
interface Block {
  name: string;
  before: Work[];
  outer: Block | undefined;
  /** its `beforeAll`s, begun by its first test */
  ready: Promise<void> | undefined;
}

export interface TestResult {
  name: string;
  ms: number;
  /** absent: passed */
  error?: string;
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
export const expect = chai.expect;

const tests: { block: Block; name: string; work: Work }[] = [];

const block = (name: string, outer?: Block): Block => ({
  name,
  before: [],
  outer,
  ready: undefined,
});
let current = block('');

/** From here on, tests belong to this file. */
export function inFile(name: string): void {
  current = block(name);
}

export function describe(name: string, collect: Work): void {
  const outer = current;
  current = block(name, outer);
  collect();
  current = outer;
}

export function beforeAll(work: Work): void {
  current.before.push(work);
}

export function test(name: string, work: Work): void {
  tests.push({ block: current, name, work });
}

/** `%d` and `%s` in a name are the values, in turn. */
const eachOf =
  (one: (name: string, work: Work) => void) =>
  <T>(rows: readonly T[]) =>
  (name: string, work: (...values: never[]) => unknown): void => {
    for (const row of rows) {
      const values: unknown[] = Array.isArray(row) ? row : [row];
      let next = 0;
      const named = name.replace(/%[dsi]/g, () => String(values[next++]));
      one(named, () => work(...(values as never[])));
    }
  };

test.each = eachOf(test);
describe.each = eachOf(describe);

function prepare(of: Block | undefined): Promise<void> {
  if (!of) return Promise.resolve();
  of.ready ??= (async () => {
    await prepare(of.outer);
    for (const work of of.before) await work();
  })();
  return of.ready;
}

const path = ({ name, outer }: Block): string => (outer ? `${path(outer)} > ${name}` : name);

/** @param told after each test */
export async function runTests(told: (result: TestResult) => void): Promise<void> {
  for (const { block: of, name, work } of tests.splice(0)) {
    const began = performance.now();
    const result: TestResult = { name: `${path(of)} > ${name}`, ms: 0 };
    try {
      await prepare(of);
      await work();
    } catch (error) {
      result.error = message(error);
    }
    result.ms = performance.now() - began;
    told(result);
  }
}
