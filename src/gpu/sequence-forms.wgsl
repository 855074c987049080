// The GSPO sequence weight of one sequence per workgroup, by its three routes (see
// src/math/sequence-forms.ts, the float64 oracle).
//
// Sums of log-probs are exact (fixed.wgsl), so neither length nor the compiler can spoil a
// cross-entropy. The product of ratios carries its binary exponent apart, so it neither over- nor
// underflows; the relative error of a single ratio survives the L-th root, that of the product shrinks.

const THREADS = 64u;

@group(0) @binding(0) var<storage, read> logp_old: array<u32>;
@group(0) @binding(1) var<storage, read> logp_new: array<u32>;
// [sequences + 1]
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
// [9, sequences], bits of float32, columns in the order of sequence-forms.ts
@group(0) @binding(3) var<storage, read_write> result: array<u32>;
@group(0) @binding(4) var<uniform> sequences: u32;

const MINUS_INFINITY = 0xff800000u;
const PLUS_INFINITY = 0x7f800000u;
const NAN = 0x7fc00000u;
// 2^20 as bits
const LIMIT_BITS = 0x49800000u;

const GEOMETRIC = 0;
const PERPLEXITY = 1;
const ENTROPY = 2;
const PPL_OLD = 3;
const PPL_NEW = 4;
const CROSS_ENTROPY_OLD = 5;
const CROSS_ENTROPY_NEW = 6;
const LOG_WEIGHT = 7;
const NAIVE = 8;
const COLUMNS = 9u;

// What the log-probs of a sequence contain besides numbers.
const OLD_ZERO = 1u;
const NEW_ZERO = 2u;
const NO_LOG_PROB = 4u;

struct Part {
  sum_old: Fixed,
  sum_new: Fixed,
  ratios: Scaled,
  naive_old: f32,
  naive_new: f32,
  flags: u32,
}

var<workgroup> parts: array<Part, THREADS>;

fn merge(a: Part, b: Part) -> Part {
  return Part(
    fixed_add(a.sum_old, b.sum_old),
    fixed_add(a.sum_new, b.sum_new),
    scaled_multiply(a.ratios, b.ratios),
    a.naive_old * b.naive_old,
    a.naive_new * b.naive_new,
    a.flags | b.flags,
  );
}

fn flags_of(bits: u32, zero: u32) -> u32 {
  if (bits == MINUS_INFINITY) {
    return zero;
  }
  return select(0u, NO_LOG_PROB, (bits & 0x7fffffffu) >= LIMIT_BITS);
}

/// The float32 product of probabilities, whatever is left of it.
fn naive_exp(bits: u32) -> f32 {
  return exp(max(bitcast<f32>(bits), -110.0));
}

/// (m 2^e)^(1/n): the exponent is divided as an integer, so only its fraction goes through exp.
fn scaled_root(a: Scaled, n: u32) -> Scaled {
  let length = i32(n);
  let whole = a.exponent / length;
  let rest = a.exponent % length;
  // within +-ln 2, halved for exp_small
  let nats = (f32(rest) * LN2 + log_accurate(a.mantissa)) / f32(n);
  let half = exp_small(nats * 0.5);
  return Scaled(half * half, whole);
}

/// prod new / prod old, then the root, in float32. Underflown products give 0, infinity or NaN.
fn naive_bits(product_new: f32, product_old: f32, n: u32) -> u32 {
  let tiny = 0x1p-126;
  if (product_old < tiny) {
    return select(PLUS_INFINITY, NAN, product_new < tiny);
  }
  if (product_new < tiny) {
    return 0u;
  }
  let quotient = log_accurate(product_new) - log_accurate(product_old);
  return bitcast<u32>(exp(quotient / f32(n)));
}

fn float_bits(a: Fixed) -> u32 {
  return bitcast<u32>(fixed_to_float(a));
}

fn write_result(sequence: u32, length: u32, total: Part) {
  var out: array<u32, COLUMNS>;
  let h_old = fixed_divide(fixed_negate(total.sum_old), length);
  let h_new = fixed_divide(fixed_negate(total.sum_new), length);
  let ppl_old = fixed_exp(h_old);
  let ppl_new = fixed_exp(h_new);
  out[GEOMETRIC] = scaled_bits(scaled_root(total.ratios, length));
  out[PERPLEXITY] = scaled_bits(
    Scaled(ppl_old.mantissa / ppl_new.mantissa, ppl_old.exponent - ppl_new.exponent),
  );
  out[ENTROPY] = scaled_bits(fixed_exp(fixed_subtract(h_old, h_new)));
  out[PPL_OLD] = scaled_bits(ppl_old);
  out[PPL_NEW] = scaled_bits(ppl_new);
  out[CROSS_ENTROPY_OLD] = float_bits(h_old);
  out[CROSS_ENTROPY_NEW] = float_bits(h_new);
  out[LOG_WEIGHT] = float_bits(
    fixed_divide(fixed_subtract(total.sum_new, total.sum_old), length),
  );
  out[NAIVE] = naive_bits(total.naive_new, total.naive_old, length);

  let old_zero = (total.flags & OLD_ZERO) != 0u;
  let new_zero = (total.flags & NEW_ZERO) != 0u;
  if (old_zero) {
    out[PPL_OLD] = PLUS_INFINITY;
    out[CROSS_ENTROPY_OLD] = PLUS_INFINITY;
  }
  if (new_zero) {
    out[PPL_NEW] = PLUS_INFINITY;
    out[CROSS_ENTROPY_NEW] = PLUS_INFINITY;
  }
  if (old_zero || new_zero) {
    // s = p / 0, 0 / p or 0 / 0
    let weight = select(select(0u, PLUS_INFINITY, old_zero), NAN, old_zero && new_zero);
    out[GEOMETRIC] = weight;
    out[PERPLEXITY] = weight;
    out[ENTROPY] = weight;
    out[LOG_WEIGHT] = select(weight, MINUS_INFINITY, !old_zero);
  }
  for (var column = 0u; column < COLUMNS; column++) {
    let no_number = (total.flags & NO_LOG_PROB) != 0u;
    result[column * sequences + sequence] = select(out[column], NAN, no_number);
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let sequence = group.y * groups.x + group.x;
  if (sequence >= sequences) {
    return;
  }
  let start = offsets[sequence];
  let length = offsets[sequence + 1u] - start;

  var part = Part(Fixed(), Fixed(), Scaled(1.0, 0), 1.0, 1.0, 0u);
  for (var t = thread; t < length; t += THREADS) {
    let old_bits = logp_old[start + t];
    let new_bits = logp_new[start + t];
    part.flags |= flags_of(old_bits, OLD_ZERO) | flags_of(new_bits, NEW_ZERO);
    part.naive_old *= naive_exp(old_bits);
    part.naive_new *= naive_exp(new_bits);
    // -inf goes into the flags; the sums are those of the other tokens.
    let a = fixed_from_bits(select(old_bits, 0u, old_bits == MINUS_INFINITY));
    let b = fixed_from_bits(select(new_bits, 0u, new_bits == MINUS_INFINITY));
    part.sum_old = fixed_add(part.sum_old, a);
    part.sum_new = fixed_add(part.sum_new, b);
    part.ratios = scaled_multiply(part.ratios, fixed_exp(fixed_subtract(b, a)));
  }
  parts[thread] = part;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      parts[thread] = merge(parts[thread], parts[thread + half]);
    }
  }
  if (thread == 0u) {
    write_result(sequence, length, parts[0]);
  }
}
