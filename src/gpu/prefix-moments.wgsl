// Moments of the mean log-ratio over prefixes, in two passes.
//
// `prefix_means` replaces each token's log-ratio by the mean over its sequence up to it: a scan, one
// workgroup per sequence. `moments` then walks, per prefix length, over a slice of the sequences; the
// slices are merged in float64 on the CPU.

const THREADS = 128u;

struct Params {
  sequences: u32,
  // longest prefix
  longest: u32,
  // sequences per slice
  slice: u32,
}

// [tokens]
@group(0) @binding(0) var<storage, read_write> ratios: array<f32>;
// [sequences + 1]
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
// [slices, longest] (count, bits of mean, bits of M2)
@group(0) @binding(3) var<storage, read_write> partial: array<u32>;

var<workgroup> scan: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn prefix_means(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let sequence = group.y * groups.x + group.x;
  if (sequence >= params.sequences) {
    return;
  }
  let start = offsets[sequence];
  let length = min(offsets[sequence + 1u] - start, params.longest);
  var carry = 0.0;
  for (var first = 0u; first < length; first += THREADS) {
    let t = first + thread;
    var sum = 0.0;
    if (t < length) {
      sum = ratios[start + t];
    }
    scan[thread] = sum;
    workgroupBarrier();
    for (var reach = 1u; reach < THREADS; reach *= 2u) {
      if (thread >= reach) {
        sum += scan[thread - reach];
      }
      workgroupBarrier();
      scan[thread] = sum;
      workgroupBarrier();
    }
    if (t < length) {
      ratios[start + t] = (carry + sum) / f32(t + 1u);
    }
    carry += scan[THREADS - 1u];
    workgroupBarrier();
  }
}

@compute @workgroup_size(THREADS)
fn moments(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
) {
  let k = group.x * THREADS + thread;
  if (k >= params.longest) {
    return;
  }
  let first = group.y * params.slice;
  let last = min(first + params.slice, params.sequences);
  var count = 0u;
  var sum = 0.0;
  for (var i = first; i < last; i++) {
    let start = offsets[i];
    if (k < offsets[i + 1u] - start) {
      count += 1u;
      sum += ratios[start + k];
    }
  }
  let n = f32(max(count, 1u));
  let mean = sum / n;
  // Second pass around the mean; what rounding left in the mean is taken out of both.
  var rest = 0.0;
  var squares = 0.0;
  for (var i = first; i < last; i++) {
    let start = offsets[i];
    if (k < offsets[i + 1u] - start) {
      let d = ratios[start + k] - mean;
      rest += d;
      squares += d * d;
    }
  }
  let at = (group.y * params.longest + k) * 3u;
  partial[at] = count;
  partial[at + 1u] = bitcast<u32>(mean + rest / n);
  partial[at + 2u] = bitcast<u32>(squares - rest * rest / n);
}
