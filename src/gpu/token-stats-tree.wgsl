// `reduce_row` of token-stats.wgsl on any device: halving in workgroup memory, a barrier for each half.

/// Leaves in parts[thread] and unusable[thread] of a row's first thread what its threads have found.
fn reduce_row(thread: u32, lane: u32, part: Part, bad: bool) {
  parts[thread] = part;
  unusable[thread] = u32(bad);
  for (var half = threads_per_row / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      parts[thread] = merge(parts[thread], parts[thread + half]);
      unusable[thread] |= unusable[thread + half];
    }
  }
}
