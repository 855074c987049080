/**
 * Ragged responses as rectangles that a compiled gradient takes: a fixed number of rows, a width that is
 * a multiple of WIDTH_STEP. Contract: every response is in exactly one row; rows and places that pad have
 * mask 0, so they add nothing to loss or gradient, whatever they hold.
 */

export interface TrainingSequence {
  prompt: readonly number[];
  response: readonly number[];
  /** [response] log pi_old */
  logpOld: ArrayLike<number>;
  /** [response] log-probs of the policy that training started from, where a KL penalty needs them */
  logpReference?: ArrayLike<number>;
  /** [prompt and response x 2 layers] experts of each token as `math/routing.ts` reads them, where they are replayed */
  routes?: Float32Array;
  advantage: number;
  /** the aggregation's coefficient of each of its tokens */
  coefficient: number;
}

/** Arrays [rows, width] or [rows], row-major. */
export interface Microbatch {
  rows: number;
  width: number;
  inputIds: Int32Array<ArrayBuffer>;
  attentionMask: Int32Array<ArrayBuffer>;
  positionIds: Int32Array<ArrayBuffer>;
  targets: Int32Array<ArrayBuffer>;
  mask: Float32Array<ArrayBuffer>;
  logpOld: Float32Array<ArrayBuffer>;
  logpReference: Float32Array<ArrayBuffer>;
  advantage: Float32Array<ArrayBuffer>;
  length: Float32Array<ArrayBuffer>;
  coefficient: Float32Array<ArrayBuffer>;
  /** [rows x width x 2 layers]; places that pad have some token's, since a softmax over no expert is not a number */
  routes?: Float32Array<ArrayBuffer>;
  /** index of the sequence in each row that holds one */
  members: number[];
  /** [members] where each one's first response token is predicted */
  starts: number[];
}

/** Few widths, so that few shapes are compiled; fine enough to pad little. */
const WIDTH_STEP = 32;
/** Rows of one rectangle: more would pad more, fewer would leave a GPU idle. */
export const ROWS = 4;

/** Width of each rectangle that places of these numbers are put into, ROWS of alike length in each. */
export function widthsOf(lengths: readonly number[]): number[] {
  const sorted = [...lengths].sort((a, b) => b - a);
  return sorted.filter((_, i) => i % ROWS === 0).map(widthFor);
}

const widthFor = (length: number) => Math.ceil(length / WIDTH_STEP) * WIDTH_STEP;

const lengthOf = ({ prompt, response }: TrainingSequence) => prompt.length + response.length - 1;

/** @param pad id in the padding; its value has no influence */
export function microbatches(
  sequences: readonly TrainingSequence[],
  pad: number,
  rows = ROWS,
): Microbatch[] {
  // Alike lengths share a rectangle.
  const order = sequences.map((_, i) => i);
  const length = (i: number) => lengthOf(sequences[i]);
  order.sort((a, b) => length(b) - length(a) || a - b);
  const result: Microbatch[] = [];
  for (let at = 0; at < order.length; at += rows) {
    result.push(rectangle(sequences, order.slice(at, at + rows), pad, rows));
  }
  return result;
}

function rectangle(
  sequences: readonly TrainingSequence[],
  members: number[],
  pad: number,
  rows: number,
): Microbatch {
  const longest = lengthOf(sequences[members[0]]);
  const width = widthFor(longest);
  const size = rows * width;
  const batch: Microbatch = {
    rows,
    width,
    inputIds: new Int32Array(size).fill(pad),
    // A row that only pads attends to its own first place: attention over nothing is not a number.
    attentionMask: new Int32Array(size),
    positionIds: new Int32Array(size),
    targets: new Int32Array(size),
    mask: new Float32Array(size),
    logpOld: new Float32Array(size),
    logpReference: new Float32Array(size),
    advantage: new Float32Array(rows),
    length: new Float32Array(rows).fill(1),
    coefficient: new Float32Array(rows),
    members,
    starts: [],
  };
  const routed = sequences[members[0]].routes;
  if (routed !== undefined) batch.routes = routesOf(sequences, members, routed, rows, width);
  for (let row = members.length; row < rows; row++) batch.attentionMask[row * width] = 1;
  members.forEach((member, row) => {
    const { prompt, response, ...rest } = sequences[member];
    const tokens = [...prompt, ...response];
    const from = row * width;
    for (let i = 0; i + 1 < tokens.length; i++) {
      batch.inputIds[from + i] = tokens[i];
      batch.targets[from + i] = tokens[i + 1];
      batch.attentionMask[from + i] = 1;
      batch.positionIds[from + i] = i;
    }
    const start = from + prompt.length - 1;
    batch.starts.push(start);
    batch.mask.fill(1, start, start + response.length);
    batch.logpOld.set(Array.from(rest.logpOld), start);
    if (rest.logpReference) batch.logpReference.set(Array.from(rest.logpReference), start);
    batch.advantage[row] = rest.advantage;
    batch.length[row] = response.length;
    batch.coefficient[row] = rest.coefficient;
  });
  return batch;
}

function routesOf(
  sequences: readonly TrainingSequence[],
  members: readonly number[],
  first: Float32Array,
  rows: number,
  width: number,
): Float32Array<ArrayBuffer> {
  const { prompt, response } = sequences[members[0]];
  const columns = first.length / (prompt.length + response.length);
  const filler = first.subarray(0, columns);
  const all = new Float32Array(rows * width * columns);
  for (let place = 0; place < rows * width; place++) all.set(filler, place * columns);
  members.forEach((member, row) => {
    const { routes, ...sequence } = sequences[member];
    if (routes === undefined)
      throw new TypeError('Some responses have routes and others have none.');
    all.set(routes.subarray(0, lengthOf(sequence) * columns), row * width * columns);
  });
  return all;
}
