/**
 * Which experts two policies send the same tokens to. A row of a routing table holds, for each layer, the set of chosen
 * experts as a sum of 2^expert and the margin: the last chosen expert's logit less the best one's that was not chosen.
 * Contract: pure; routes flipped where the sets differ.
 */

export interface RoutingTable {
  /** 2 x layers */
  width: number;
  /** [tokens x width] (set, margin) of each layer */
  values: ArrayLike<number>;
}

/** Experts of a set, ascending. */
export function expertsOf(set: number): number[] {
  const found: number[] = [];
  for (let expert = 0; 2 ** expert <= set; expert++) {
    if (Math.floor(set / 2 ** expert) % 2 === 1) found.push(expert);
  }
  return found;
}

/**
 * The sets of one layer as a router has them: [tokens x experts], 1 for a chosen expert, else 0.
 * @param values [tokens x 2 layers] (set, margin) of each layer
 */
export function chosenExperts(
  values: ArrayLike<number>,
  layer: number,
  layers: number,
  experts: number,
): Float32Array<ArrayBuffer> {
  const tokens = values.length / (2 * layers);
  const chosen = new Float32Array(tokens * experts);
  for (let t = 0; t < tokens; t++) {
    for (const expert of expertsOf(values[2 * (t * layers + layer)])) {
      chosen[t * experts + expert] = 1;
    }
  }
  return chosen;
}

export interface RoutingFlips {
  layers: number;
  /** [tokens] layers whose set changed */
  flips: Uint8Array<ArrayBuffer>;
  /** [layers] share of tokens whose set changed */
  shares: Float64Array<ArrayBuffer>;
  /** [tokens] the smallest margin of a layer under the first policy: how near the token was to another route */
  margin: Float64Array<ArrayBuffer>;
}

/** @throws RangeError where the tables are not of the same tokens and layers */
export function routingFlips(before: RoutingTable, after: RoutingTable): RoutingFlips {
  const { width } = before;
  if (width % 2 !== 0 || width === 0 || after.width !== width) {
    throw new RangeError(`Routing tables of ${width} and ${after.width} columns are no pair.`);
  }
  if (before.values.length !== after.values.length || before.values.length % width !== 0) {
    throw new RangeError(
      `Routing tables of ${before.values.length} and ${after.values.length} entries are no pair.`,
    );
  }
  const layers = width / 2;
  const tokens = before.values.length / width;
  const flips = new Uint8Array(tokens);
  const counts = new Float64Array(layers);
  const margin = new Float64Array(tokens).fill(Infinity);
  for (let t = 0; t < tokens; t++) {
    for (let layer = 0; layer < layers; layer++) {
      const at = t * width + 2 * layer;
      margin[t] = Math.min(margin[t], before.values[at + 1]);
      if (before.values[at] === after.values[at]) continue;
      flips[t] = flips[t] + 1;
      counts[layer] = counts[layer] + 1;
    }
  }
  return { layers, flips, shares: counts.map((n) => (tokens === 0 ? 0 : n / tokens)), margin };
}

/**
 * Flips at a fraction of the way between two policies if every router's logits moved in a straight line with it: a
 * margin m_0 that ends as m_1, or as -m_1 where the route flipped, is crossed where m_0 + alpha (m_1 - m_0) < 0.
 * @param alpha share of the way; beyond 1 it extrapolates
 * @returns [tokens] layers whose set is foretold to change
 */
export function straightFlips(
  before: RoutingTable,
  after: RoutingTable,
  alpha: number,
): Uint8Array {
  const { width } = before;
  const tokens = before.values.length / width;
  const flips = new Uint8Array(tokens);
  for (let t = 0; t < tokens; t++) {
    for (let at = t * width; at < (t + 1) * width; at += 2) {
      const start = before.values[at + 1] as number;
      const flipped = before.values[at] !== after.values[at];
      const end = (after.values[at + 1] as number) * (flipped ? -1 : 1);
      if (start + alpha * (end - start) < 0) flips[t] = (flips[t] as number) + 1;
    }
  }
  return flips;
}
