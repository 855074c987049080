// Sums of lagged products within sequences. A workgroup takes a block of tokens at one lag; the blocks
// are added up in float64 on the CPU.

const THREADS = 256u;
const TOKENS_PER_GROUP = 1024u;

struct Params {
  tokens: u32,
  // bits of float32
  center: u32,
}

// [tokens]
@group(0) @binding(0) var<storage, read> ratios: array<f32>;
// [tokens] end of the sequence that the token is in
@group(0) @binding(1) var<storage, read> ends: array<u32>;
// [lags, blocks]
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> sums: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let lag = group.y;
  let center = bitcast<f32>(params.center);
  let first = group.x * TOKENS_PER_GROUP;
  let last = min(first + TOKENS_PER_GROUP, params.tokens);
  var sum = 0.0;
  for (var t = first + thread; t < last; t += THREADS) {
    if (t + lag < ends[t]) {
      sum += (ratios[t] - center) * (ratios[t + lag] - center);
    }
  }
  sums[thread] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      sums[thread] += sums[thread + half];
    }
  }
  if (thread == 0u) {
    partial[lag * groups.x + group.x] = sums[0];
  }
}
