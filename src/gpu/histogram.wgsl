// Histogram with under/overflow and not-finite counts. A value's bin is found by bisection over the
// edges, as integers that sort like floats: no rounding, no NaN, no flushed denormal can misplace one.
//
// `main` collects in workgroup memory first, so that a peaked histogram does not queue up at one global
// counter; `main_global` is for more bins than fit there.

const THREADS = 256u;
const LOCAL_SLOTS = 1024u;

struct Params {
  values: u32,
  bins: u32,
}

@group(0) @binding(0) var<storage, read> values: array<u32>;
// [bins + 1] lower edges as sortable integers, then the first integer above the last bin
@group(0) @binding(1) var<storage, read> edges: array<u32>;
// [bins + 3] bins, then underflow, overflow, not finite
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> local_counts: array<atomic<u32>, LOCAL_SLOTS>;

/// Sorts like the float; -0 is 0.
fn sortable(bits: u32) -> u32 {
  if (bits >= 0x80000000u) {
    return select(~bits, 0x80000000u, bits == 0x80000000u);
  }
  return bits | 0x80000000u;
}

/// Index into `counts`.
fn slot(bits: u32) -> u32 {
  let bins = params.bins;
  if ((bits & 0x7f800000u) == 0x7f800000u) {
    return bins + 2u;
  }
  let key = sortable(bits);
  if (key < edges[0]) {
    return bins;
  }
  if (key >= edges[bins]) {
    return bins + 1u;
  }
  var low = 0u;
  var high = bins;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (key >= edges[middle]) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var i = group.x * THREADS + thread; i < params.values; i += groups.x * THREADS) {
    atomicAdd(&local_counts[slot(values[i])], 1u);
  }
  workgroupBarrier();
  for (var k = thread; k < params.bins + 3u; k += THREADS) {
    let count = atomicLoad(&local_counts[k]);
    if (count > 0u) {
      atomicAdd(&counts[k], count);
    }
  }
}

@compute @workgroup_size(THREADS)
fn main_global(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var i = id.x; i < params.values; i += groups.x * THREADS) {
    atomicAdd(&counts[slot(values[i])], 1u);
  }
}
