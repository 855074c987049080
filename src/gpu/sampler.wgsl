// One decode step: one token per sequence by Gumbel-max, without a read-back. Twin of
// src/math/sampler.ts: same counters, same bits, float32 scores.
//
// One workgroup per sequence. A Philox block gives the noise of four neighbouring tokens, so a thread
// takes tokens in fours. Ties go to the lowest id. The best of a row is found by `best_of_row`, of which there
// are two: in workgroup memory (sampler-tree.wgsl), and by subgroups (sampler-subgroups.wgsl).

override threads: u32 = 256u;

struct Params {
  vocabulary: u32,
  // first logit of the first row of this dispatch within the binding, and from row to row
  offset: u32,
  stride: u32,
  // index within the batch of the first row of this dispatch
  first_row: u32,
  // index within the run of the first sequence of the batch
  first_sequence: u32,
  step: u32,
  max_new: u32,
  seed: u32,
  stream: u32,
  // bits of float32(1 / temperature), and whether there is noise at all
  inverse_temperature: u32,
  greedy: u32,
  end_token: u32,
  pad_token: u32,
  // bits of float32(top-p); from 1 on, and for greedy, nothing is cut off
  top_p: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<u32>;
// [batch, max_new]
@group(0) @binding(1) var<storage, read_write> tokens: array<u32>;
// unfinished sequences, rows without a usable logit, then per sequence its length or 0 while it runs
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>>;
// next ids as int64, low word first, and as int32
@group(0) @binding(3) var<storage, read_write> next64: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> next32: array<i32>;
// [batch, max_new] log of the probability that top-p keeps, at temperature 1; written only where it cuts
@group(0) @binding(5) var<storage, read_write> kept: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

const NOBODY = 0xffffffffu;
// Below every score that a usable logit can get.
const NO_SCORE = -3e38;

/// The four logits' bits are numbers within +-1e30.
fn usable(bits: u32) -> bool {
  return (bits & 0x7fffffffu) <= 0x7149f2cau;
}

fn gumbel(bits: u32) -> f32 {
  return -log_accurate(-log_accurate(unit_interval(bits)));
}

var<workgroup> parts: array<f32, threads>;

/// The sum of all threads' values, for every thread.
fn sum_of_row(thread: u32, own: f32) -> f32 {
  // What was summed before has been read.
  workgroupBarrier();
  parts[thread] = own;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      parts[thread] += parts[thread + half];
    }
  }
  workgroupBarrier();
  return parts[0];
}

/// The largest of all threads' values, for every thread.
fn top_of_row(thread: u32, own: f32) -> f32 {
  workgroupBarrier();
  parts[thread] = own;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      parts[thread] = max(parts[thread], parts[thread + half]);
    }
  }
  workgroupBarrier();
  return parts[0];
}

/// An integer that is larger for larger scores; -0 and 0 are one score.
fn rank_of(score: f32) -> u32 {
  let bits = bitcast<u32>(score);
  return select(~bits, bits | 0x80000000u, bits <= 0x80000000u);
}

/// Sum of exp(power (logit - top)) over the scores of at least this rank.
fn mass_from(thread: u32, start: u32, rank: u32, top: f32, power: f32) -> f32 {
  let scale = bitcast<f32>(params.inverse_temperature);
  var mass = 0.0;
  for (var i = thread; i < params.vocabulary; i += threads) {
    let bits = logits[start + i];
    if (usable(bits) && rank_of(bitcast<f32>(bits) * scale) >= rank) {
      mass += exp(power * (bitcast<f32>(bits) - top));
    }
  }
  return sum_of_row(thread, mass);
}

/// The rank of the last score of the nucleus: the largest from which on the mass is at least top-p of all, found by
/// halving the 2^32 ranks. Writes what is kept.
fn nucleus_of(thread: u32, start: u32, row: u32) -> u32 {
  let scale = bitcast<f32>(params.inverse_temperature);
  var highest = NO_SCORE;
  for (var i = thread; i < params.vocabulary; i += threads) {
    let bits = logits[start + i];
    if (usable(bits)) {
      highest = max(highest, bitcast<f32>(bits));
    }
  }
  let top = top_of_row(thread, highest);
  let wanted = bitcast<f32>(params.top_p) * mass_from(thread, start, 0u, top, scale);
  var inside = 0u;
  var outside = rank_of(top * scale) + 1u;
  for (var halving = 0u; halving < 32u; halving++) {
    let middle = inside + (outside - inside) / 2u;
    let enough = mass_from(thread, start, middle, top, scale) >= wanted;
    inside = select(inside, middle, enough);
    outside = select(middle, outside, enough);
  }
  let share = mass_from(thread, start, inside, top, 1.0) / mass_from(thread, start, 0u, top, 1.0);
  if (thread == 0u) {
    kept[row * params.max_new + params.step] = log_accurate(share);
  }
  return inside;
}

@compute @workgroup_size(threads)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
) {
  let row = params.first_row + group.x;
  let start = params.offset + group.x * params.stride;
  let scale = bitcast<f32>(params.inverse_temperature);
  let truncated = params.greedy == 0u && bitcast<f32>(params.top_p) < 1.0;
  var lowest = 0u;
  if (truncated) {
    lowest = nucleus_of(thread, start, row);
  }
  var best = NO_SCORE;
  var best_id = NOBODY;
  for (var first = thread * 4u; first < params.vocabulary; first += threads * 4u) {
    var words = vec4u();
    if (params.greedy == 0u) {
      words = philox4x32(
        vec2u(params.seed, params.stream),
        vec4u(first >> 2u, params.step, params.first_sequence + row, 0u),
      );
    }
    for (var k = 0u; k < 4u && first + k < params.vocabulary; k++) {
      let bits = logits[start + first + k];
      if (!usable(bits)) {
        continue;
      }
      var score = bitcast<f32>(bits) * scale;
      if (truncated && rank_of(score) < lowest) {
        continue;
      }
      if (params.greedy == 0u) {
        score += gumbel(words[k]);
      }
      if (score > best) {
        best = score;
        best_id = first + k;
      }
    }
  }
  let winner = best_of_row(thread, best, best_id);
  if (thread != 0u) {
    return;
  }

  var id = params.pad_token;
  if (atomicLoad(&state[2u + row]) == 0u) {
    let found = winner != NOBODY;
    id = select(params.end_token, winner, found);
    if (!found) {
      atomicAdd(&state[1], 1u);
    }
    if (id == params.end_token) {
      atomicStore(&state[2u + row], params.step + 1u);
      atomicSub(&state[0], 1u);
    }
  }
  tokens[row * params.max_new + params.step] = id;
  next64[row] = vec2u(id, 0u);
  next32[row] = i32(id);
}
