/**
 * Sums over clusters. Responses to one prompt are dependent, so prompts are what varies: statistics are functions of
 * sums over prompts, and leaving one prompt out costs a subtraction and never touches tokens again. Contract:
 * clusters are exchangeable.
 */

/** Sums per cluster: columns[k][g] is the k-th sum over cluster g. */
export interface ClusterSums {
  clusters: number;
  columns: Float64Array[];
}

export function newClusterSums(clusters: number, columns: number): ClusterSums {
  return { clusters, columns: Array.from({ length: columns }, () => new Float64Array(clusters)) };
}

/** Adds `terms` [K] to cluster g. */
export function addToCluster(sums: ClusterSums, g: number, terms: readonly number[]): void {
  terms.forEach((term, k) => {
    const column = sums.columns[k];
    column[g] = column[g] + term;
  });
}

/** The columns of several sums over the same clusters, side by side. */
export function joinSums(...parts: readonly ClusterSums[]): ClusterSums {
  const clusters = parts[0]?.clusters ?? 0;
  if (parts.some((part) => part.clusters !== clusters)) {
    throw new RangeError('Sums over different clusters cannot be joined.');
  }
  return { clusters, columns: parts.flatMap((part) => part.columns) };
}

/** Drops clusters whose columns are all zero: they were not observed (not in this bin). */
export function observed(sums: ClusterSums): ClusterSums {
  // plain loops here and below: every estimate passes over every prompt
  const seen = new Uint8Array(sums.clusters);
  for (const column of sums.columns) {
    for (let g = 0; g < seen.length; g++) if (column[g] !== 0) seen[g] = 1;
  }
  const keep: number[] = [];
  for (let g = 0; g < seen.length; g++) if (seen[g] === 1) keep.push(g);
  if (keep.length === sums.clusters) return sums;
  return {
    clusters: keep.length,
    columns: sums.columns.map((column) => Float64Array.from(keep, (g) => column[g])),
  };
}

/** Deals clusters round-robin into at most `limit` blocks. */
export function blocked(sums: ClusterSums, limit: number): ClusterSums {
  if (sums.clusters <= limit) return sums;
  const blocks = newClusterSums(limit, sums.columns.length);
  sums.columns.forEach((column, k) => {
    const out = blocks.columns[k];
    let block = 0;
    for (let g = 0; g < sums.clusters; g++) {
      out[block] = out[block] + column[g];
      if (++block === limit) block = 0;
    }
  });
  return blocks;
}
