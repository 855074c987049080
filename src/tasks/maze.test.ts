import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random, STREAM } from '../math/philox';
import { distances, drawMaze, formatMaze, maze as task, parseMaze, walk, type Maze } from './maze';
import { heldOutPrompts } from './task';

const RANGE = { least: 3, most: 7 };
const { verify } = task;
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const drawn = (seed: number): Maze => drawMaze(new Random(seed, STREAM.prompts), RANGE);
const PROMPT = 'ab#/#ij/opq|a-q=';

describe('mazes', () => {
  test('printing and parsing are inverse', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const maze = drawn(seed);
        expect(parseMaze(formatMaze(maze))).toEqual(maze);
      }),
    );
  });

  test.each([
    '',
    'ab',
    'ab|a-a',
    'ab|a-c',
    'ab/h|a-b',
    'ba|b-a',
    'ab/##|a-',
    'abx|a-b',
    'abcdefgh|a-b',
    '<b>|a-b',
  ])('no maze: "%s"', (text) => expect(parseMaze(text)).toBeUndefined());

  test('the goal can be reached, and near and far goals are drawn', () => {
    const far = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      const maze = drawn(seed);
      far.add(distances(maze, maze.start)[maze.goal]);
    }
    expect(Math.min(...far)).toBe(1);
    expect(Math.max(...far)).toBeGreaterThan(15);
  });
});

describe('walks', () => {
  test('every solution is judged right, move for move, and fits the context', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = new Random(seed, STREAM.training);
        const { prompt, solution } = task.draw(random, RANGE, false);
        expect(verify(prompt, solution)).toEqual({ reward: 1, validSteps: 1 });
        expect(prompt.length + solution.length).toBeLessThanOrEqual(256);
      }),
      { numRuns: 300 },
    );
  });

  test('solutions are from 3 to over 100 tokens long', () => {
    const random = new Random(1, STREAM.training);
    const lengths = Array.from(
      { length: 1500 },
      () => task.draw(random, RANGE, false).solution.length,
    );
    expect(Math.min(...lengths)).toBe(3);
    expect(Math.max(...lengths)).toBeGreaterThan(100);
  });

  test.each([
    ['>bvivp>q;', 1, 1, 'the shortest way'],
    ['>b<a>bvivp>q;', 1, 1, 'a detour'],
    ['>bvjvp>q;', 1, 0.75, 'a cell misnamed on the way: it arrives all the same'],
    ['>bvivp>q', 0, 1, 'it does not end'],
    ['>bvivp;', 0, 1, 'it ends before the goal'],
    ['vhvo>p>q;', 0, 0, 'through a wall'],
    ['^a;', 0, 0, 'over the edge'],
    [';', 0, 0, 'no move at all'],
    ['', 0, 0, 'nothing'],
    ['>bvivp>q<p;', 0, 1, 'it walks on from the goal'],
    ['>bxyz', 0, 0.5, 'no move of this task'],
  ])('%s: reward %d, valid steps %d (%s)', (response, reward, validSteps) => {
    expect(verify(PROMPT, response)).toEqual({ reward, validSteps });
  });

  test('cells visited end before the first illegal move', () => {
    expect(walk(PROMPT, '>bvi^b^').cells).toEqual([0, 1, 4, 1]);
  });

  test('held-out prompts depend on seed and index alone and never come from the training side', () => {
    const settings = { minOperators: 3, maxOperators: 7 };
    const held = heldOutPrompts(task, 3, settings, 50);
    expect(heldOutPrompts(task, 3, settings, 1, 7)).toEqual([held[7]]);
    const random = new Random(3, STREAM.training);
    const trained = new Set(
      Array.from({ length: 3000 }, () => task.draw(random, RANGE, false).prompt),
    );
    expect(held.filter((prompt) => trained.has(prompt))).toEqual([]);
  });
});
