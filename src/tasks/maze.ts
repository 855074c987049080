/**
 * Task `maze`: a sequential decision task. Walk from one cell to another, one move at a time, and say after
 * each move where you stand.
 *
 *     prompt    ab#/#i#/opq|a-q=     three rows: `#` wall, letters open cells; start and goal behind the bar
 *     response  >bvivp>q;            a move (^ v < >), then the cell reached
 *
 * A cell has the same letter in every maze (`CELLS`, row by row of the largest): whether a move leads
 * anywhere is whether its cell's letter stands in the prompt, which a small policy can look up. Rows
 * of dots, with cells named by row and column, were tried: it had to count, and got a third of the
 * moves right. Solutions explore: of the open neighbours not yet visited one is chosen at random, more often one on a
 * shortest path; out of a dead end the walk goes back the way it came. So a good policy is uncertain
 * where to turn and certain about walls and places. Contract: pure functions of their arguments and of
 * the random stream handed in; prompt and solution together stay within 256 tokens.
 */
import type { Random } from '../math/philox';
import { isHeldOut, type Difficulty, type Problem, type Task, type Verdict } from './task';

export const MIN_SIZE = 3;
export const MAX_SIZE = 7;
export const END = ';';
const EQUALS = '=';
const WALL = '#';
const NEXT_ROW = '/';
/** Letter of each cell of the largest maze, row by row; smaller ones are its upper left corner. */
const CELLS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW';

/** Row and column differences of each move. */
const MOVES = { '^': [-1, 0], v: [1, 0], '<': [0, -1], '>': [0, 1] } as const;
export type Move = keyof typeof MOVES;
const MOVE_NAMES = Object.keys(MOVES) as Move[];
const isMove = (text: string | undefined): text is Move => text !== undefined && text in MOVES;

/** Every character of prompts and responses. */
export const MAZE_CHARACTERS = `${CELLS}#/|-=;^<>`;

/** Cells are numbered row by row of this maze. */
export interface Maze {
  rows: number;
  columns: number;
  /** [rows x columns] */
  open: boolean[];
  start: number;
  goal: number;
}

/** Where a move leads; undefined through a wall or over the edge. */
export function step({ rows, columns, open }: Maze, cell: number, move: Move): number | undefined {
  const [down, right] = MOVES[move];
  const row = Math.floor(cell / columns) + down;
  const column = (cell % columns) + right;
  if (row < 0 || column < 0 || row >= rows || column >= columns) return undefined;
  const next = row * columns + column;
  return open[next] ? next : undefined;
}

/** What a cell is called, in any maze. */
export function cellName({ columns }: Pick<Maze, 'columns'>, cell: number): string {
  return CELLS[Math.floor(cell / columns) * MAX_SIZE + (cell % columns)];
}

export function formatMaze(maze: Maze): string {
  const { rows, columns, open, start, goal } = maze;
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const cell = row * columns + column;
      return open[cell] ? cellName(maze, cell) : WALL;
    }).join(''),
  );
  return `${lines.join(NEXT_ROW)}|${cellName(maze, start)}-${cellName(maze, goal)}`;
}

/** Inverse of `formatMaze`; undefined for anything that it would not have written. */
export function parseMaze(text: string): Maze | undefined {
  const [, map, from, to] = /^([^|]+)\|([a-zA-Z])-([a-zA-Z])$/.exec(text) ?? [];
  if (map === undefined || from === to) return undefined;
  const lines = map.split(NEXT_ROW);
  const rows = lines.length;
  const columns = lines[0].length;
  const outOfBounds = (size: number) => size < 1 || size > MAX_SIZE;
  if (outOfBounds(rows) || outOfBounds(columns)) return undefined;
  if (lines.some((line) => line.length !== columns)) return undefined;
  const cells = Array.from(lines.join(''));
  const named = (cell: string, i: number) => cell === WALL || cell === cellName({ columns }, i);
  if (!cells.every(named)) return undefined;
  const [start, goal] = [cells.indexOf(from), cells.indexOf(to)];
  if (start < 0 || goal < 0) return undefined;
  return { rows, columns, open: cells.map((cell) => cell !== WALL), start, goal };
}

/** Moves from each cell to `from` along a shortest path; -1 where none leads there. */
export function distances(maze: Maze, from: number): number[] {
  const distance = new Array<number>(maze.open.length).fill(-1);
  distance[from] = 0;
  const queue = [from];
  for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
    for (const move of MOVE_NAMES) {
      const next = step(maze, cell, move);
      if (next === undefined || distance[next] !== -1) continue;
      distance[next] = distance[cell] + 1;
      queue.push(next);
    }
  }
  return distance;
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random.integer(items.length)];

/** Corridors grown from a random cell, with a loop opened here and there. */
function carve(random: Random, rows: number, columns: number): Pick<Maze, 'open' | 'start'> {
  const open = new Array<boolean>(rows * columns).fill(false);
  const all = {
    rows,
    columns,
    open: new Array<boolean>(open.length).fill(true),
    start: 0,
    goal: 0,
  };
  const openAround = (cell: number) =>
    MOVE_NAMES.filter((move) => {
      const next = step(all, cell, move);
      return next !== undefined && open[next];
    }).length;
  const start = random.integer(open.length);
  open[start] = true;
  const path = [start];
  while (path.length > 0) {
    const cell = path.at(-1) as number;
    const ways = MOVE_NAMES.map((move) => step(all, cell, move)).filter(
      (next): next is number => next !== undefined && !open[next] && openAround(next) === 1,
    );
    if (ways.length === 0) {
      path.pop();
      continue;
    }
    const next = pick(random, ways);
    open[next] = true;
    path.push(next);
  }
  for (let cell = 0; cell < open.length; cell++) {
    if (!open[cell] && openAround(cell) === 2 && random.uniform() < 0.1) open[cell] = true;
  }
  return { open, start };
}

/**
 * A maze whose rows and columns are each drawn from the range (within 3 to 7, whatever is asked for); the
 * distance to the goal is uniform over those it has.
 */
export function drawMaze(random: Random, { least, most }: Difficulty): Maze {
  const within = (size: number) => Math.min(MAX_SIZE, Math.max(MIN_SIZE, size));
  const side = () => within(least) + random.integer(within(most) - within(least) + 1);
  const [rows, columns] = [side(), side()];
  const maze: Maze = { rows, columns, ...carve(random, rows, columns), goal: -1 };
  maze.start = pick(
    random,
    [...maze.open.keys()].filter((cell) => maze.open[cell]),
  );
  const distance = distances(maze, maze.start);
  const goalDistance = 1 + random.integer(Math.max(...distance));
  maze.goal = pick(
    random,
    [...distance.keys()].filter((cell) => distance[cell] === goalDistance),
  );
  return maze;
}

/** How often, of the moves not yet tried, one that gets nearer to the goal is preferred. */
const DIRECTNESS = 0.5;

function solve(maze: Maze, random: Random): string {
  const toGoal = distances(maze, maze.goal);
  const visited = new Set([maze.start]);
  const path: { cell: number; back: Move | undefined }[] = [{ cell: maze.start, back: undefined }];
  let text = '';
  for (;;) {
    const { cell, back } = path.at(-1) as (typeof path)[number];
    if (cell === maze.goal) return text + END;
    const ways = MOVE_NAMES.filter((move) => {
      const next = step(maze, cell, move);
      return next !== undefined && !visited.has(next);
    });
    const nearer = ways.filter((move) => toGoal[step(maze, cell, move) as number] < toGoal[cell]);
    const choice = nearer.length > 0 && random.uniform() < DIRECTNESS ? nearer : ways;
    const move = choice.length > 0 ? pick(random, choice) : (back as Move);
    const next = step(maze, cell, move) as number;
    if (choice.length > 0) {
      path.push({ cell: next, back: OPPOSITE[move] });
      visited.add(next);
    } else {
      path.pop();
    }
    text += move + cellName(maze, next);
  }
}

const OPPOSITE: Record<Move, Move> = { '^': 'v', v: '^', '<': '>', '>': '<' };

/** A maze and a walk through it, from the training or the held-out side. */
function draw(random: Random, difficulty: Difficulty, heldOut: boolean): Problem {
  for (;;) {
    const drawn = drawMaze(random, difficulty);
    const prompt = formatMaze(drawn) + EQUALS;
    const solution = solve(drawn, random);
    if (isHeldOut(prompt) === heldOut) return { prompt, solution };
  }
}

export interface Walk {
  maze: Maze;
  /** [cells] letter of each, as responses name it */
  names: string[];
  /** the start, then the cell after each legal move; ends before the first illegal one */
  cells: number[];
  /** moves that led somewhere and named the right cell, and all moves that were tried */
  valid: number;
  moves: number;
  /** the goal was reached by legal moves, and the response ended there */
  arrived: boolean;
}

/** Follow a response through its maze. @throws when the prompt is no maze */
export function walk(prompt: string, response: string): Walk {
  const maze = parseMaze(prompt.replace(/=$/, ''));
  if (maze === undefined) throw new Error(`not a maze: "${prompt}"`);
  const names = maze.open.map((_, cell) => cellName(maze, cell));
  const cells = [maze.start];
  let valid = 0;
  let moves = 0;
  let rest = response;
  while (rest !== '' && rest !== END) {
    moves++;
    const move = rest[0];
    const here = cells.at(-1) as number;
    const next = isMove(move) ? step(maze, here, move) : undefined;
    if (next === undefined) return { maze, names, cells, valid, moves, arrived: false };
    cells.push(next);
    if (rest[1] === cellName(maze, next)) valid++;
    rest = rest.slice(2);
    if (next === maze.goal) break;
  }
  return { maze, names, cells, valid, moves, arrived: cells.at(-1) === maze.goal && rest === END };
}

/** The same for any prompt; null where it is no maze. */
export function walkOf(prompt: string, response: string): Walk | null {
  return parseMaze(prompt.replace(/=$/, '')) === undefined ? null : walk(prompt, response);
}

/** Judge a response (with its `;` if it has one): reward 1 for reaching the goal by legal moves alone. */
function verify(prompt: string, response: string): Verdict {
  const { valid, moves, arrived } = walk(prompt, response);
  return { reward: arrived ? 1 : 0, validSteps: moves === 0 ? 0 : valid / moves };
}

/** Half as long again as the shortest way, two tokens a move: some of them are detours. */
function expectedTokens(prompt: string): number {
  const drawn = parseMaze(prompt.replace(/=$/, ''));
  if (drawn === undefined) return 0;
  return 1 + 3 * distances(drawn, drawn.start)[drawn.goal];
}

export const maze: Task = { id: 'maze', draw, verify, expectedTokens };
