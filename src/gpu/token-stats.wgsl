// Fused log-softmax, gather, entropy and collision probability: one pass over each row of logits.
//
// Online softmax (Milakov & Gimelshein 2018), carried on to the entropy and to sum p^2: a thread keeps
// the maximum m of what it has seen and, relative to it, z = sum e^(x-m), s = sum (x-m) e^(x-m) and
// q = sum e^(2(x-m)). `threads_per_row` threads share a row: 256 for large vocabularies, 1 for small
// ones, where a workgroup does 256 rows. Four accumulators each keep the float32 sums short. What the
// threads of a row have found is put together by `reduce_row`, of which there are two: in workgroup memory
// (token-stats-tree.wgsl), and by subgroups (token-stats-subgroups.wgsl).
//
// Logits are read as bits: WGSL may assume that no float is NaN or infinite, so those are told apart
// as integers, and results that are not finite are written as integers.

override threads_per_row: u32 = 256u;
const THREADS = 256u;

struct Params {
  vocabulary: u32,
  jobs: u32,
  // rows of the whole call: distance between the columns of `result`
  rows: u32,
}

struct Job {
  // first element of the row within the binding
  start: u32,
  target_id: u32,
  // where the row's results go
  row: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<u32>;
@group(0) @binding(1) var<storage, read> jobs: array<Job>;
// [3, rows]: log-prob, entropy, collision probability; bits of float32
@group(0) @binding(2) var<storage, read_write> result: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const LOWEST = -1e30;
const LOWEST_BITS = 0xf149f2cau;
const HIGHEST_BITS = 0x7149f2cau;
const MINUS_INFINITY = 0xff800000u;
const NAN = 0x7fc00000u;
// exp of this is 0 in float32
const VANISHED = -200.0;

struct Part {
  m: f32,
  z: f32,
  s: f32,
  q: f32,
}

var<workgroup> parts: array<Part, THREADS>;
// 1 where a logit was NaN, +inf or absurdly large
var<workgroup> unusable: array<u32, THREADS>;

fn merge(a: Part, b: Part) -> Part {
  let m = max(a.m, b.m);
  let da = max(a.m - m, VANISHED);
  let db = max(b.m - m, VANISHED);
  let ea = exp(da);
  let eb = exp(db);
  return Part(
    m,
    a.z * ea + b.z * eb,
    (a.s + da * a.z) * ea + (b.s + db * b.z) * eb,
    a.q * ea * ea + b.q * eb * eb,
  );
}

fn is_unusable(bits: vec4u) -> bool {
  let positive = bits < vec4u(0x80000000u);
  return any(select(bits > vec4u(MINUS_INFINITY), bits > vec4u(HIGHEST_BITS), positive));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let lane = thread % threads_per_row;
  let rows_per_group = THREADS / threads_per_row;
  let job_index = (group.y * groups.x + group.x) * rows_per_group + thread / threads_per_row;
  let active_row = job_index < params.jobs;

  var m = LOWEST;
  var z = vec4f();
  var s = vec4f();
  var q = vec4f();
  var bad = false;
  if (active_row) {
    let start = jobs[job_index].start;
    let end = start + params.vocabulary;
    for (var i = start + lane; i < end; i += 4u * threads_per_row) {
      let at = vec4u(i) + vec4u(0u, 1u, 2u, 3u) * threads_per_row;
      let inside = at < vec4u(end);
      // Past the end, the last logit is read again and masked.
      let from_row = min(at, vec4u(end - 1u));
      let bits = vec4u(
        logits[from_row.x], logits[from_row.y], logits[from_row.z], logits[from_row.w],
      );
      bad = bad || is_unusable(bits);
      let masked = !inside | (bits > vec4u(LOWEST_BITS));
      let x = select(bitcast<vec4f>(bits), vec4f(LOWEST), masked);
      let peak = max(max(x.x, x.y), max(x.z, x.w));
      if (peak > m) {
        let d = max(m - peak, VANISHED);
        let e = exp(d);
        s = (s + d * z) * e;
        z *= e;
        q *= e * e;
        m = peak;
      }
      let d = max(x - m, vec4f(VANISHED));
      let e = select(exp(d), vec4f(), masked);
      z += e;
      s += d * e;
      q += e * e;
    }
  }
  let ones = vec4f(1.0);
  reduce_row(thread, lane, Part(m, dot(z, ones), dot(s, ones), dot(q, ones)), bad);
  if (!active_row || lane != 0u) {
    return;
  }

  let job = jobs[job_index];
  let total = parts[thread];
  // z is 0 where every logit is masked.
  if (unusable[thread] != 0u || total.z == 0.0) {
    result[job.row] = NAN;
    result[params.rows + job.row] = NAN;
    result[2u * params.rows + job.row] = NAN;
    return;
  }
  let target_bits = logits[job.start + job.target_id];
  let log_z = log_accurate(total.z);
  let logp = (bitcast<f32>(target_bits) - total.m) - log_z;
  result[job.row] = select(bitcast<u32>(logp), MINUS_INFINITY, target_bits > LOWEST_BITS);
  let entropy = max(0.0, log_z - total.s / total.z);
  result[params.rows + job.row] = bitcast<u32>(entropy);
  result[2u * params.rows + job.row] = bitcast<u32>((total.q / total.z) / total.z);
}
