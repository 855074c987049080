// 96-bit fixed-point numbers: sums that no compiler can reassociate. WGSL lets compilers reorder float
// arithmetic, which silently undoes compensated summation; integers are exact in any order.
//
// A Fixed is a two's complement integer of three words, lowest first, in units of 2^-56: range 2^39,
// so 2^18 terms below 2^20 cannot overflow. Appended to shaders.

alias Fixed = vec3u;

// ln 2 in units of 2^-56
const LN2_LOW = 0xf7d1cf7au;
const LN2_HIGH = 0x00b17217u;

fn fixed_add(a: Fixed, b: Fixed) -> Fixed {
  let low = a.x + b.x;
  let carry = u32(low < a.x);
  let middle = a.y + b.y;
  let middle_carried = middle + carry;
  let carry2 = u32(middle < a.y) + u32(middle_carried < middle);
  return Fixed(low, middle_carried, a.z + b.z + carry2);
}

fn fixed_negate(a: Fixed) -> Fixed {
  return fixed_add(~a, Fixed(1u, 0u, 0u));
}

fn fixed_subtract(a: Fixed, b: Fixed) -> Fixed {
  return fixed_add(a, fixed_negate(b));
}

fn fixed_is_negative(a: Fixed) -> bool {
  return (a.z & 0x80000000u) != 0u;
}

fn fixed_magnitude(a: Fixed) -> Fixed {
  if (fixed_is_negative(a)) {
    return fixed_negate(a);
  }
  return a;
}

/// From the bits of a float32 with |x| < 2^20. Exact down to 2^-56; what lies below is cut off.
fn fixed_from_bits(bits: u32) -> Fixed {
  let exponent = i32((bits >> 23u) & 0xffu);
  let mantissa = select((bits & 0x7fffffu) | 0x800000u, 0u, exponent == 0);
  // x = mantissa 2^(exponent - 150)
  let shift = exponent - 150 + 56;
  var value: Fixed;
  if (shift <= -32) {
    value = Fixed();
  } else if (shift < 0) {
    value = Fixed(mantissa >> u32(-shift), 0u, 0u);
  } else {
    let rest = u32(shift) % 32u;
    let low = mantissa << rest;
    let high = select(mantissa >> (32u - max(rest, 1u)), 0u, rest == 0u);
    value = select(Fixed(0u, low, high), Fixed(low, high, 0u), shift < 32);
  }
  if ((bits & 0x80000000u) != 0u) {
    return fixed_negate(value);
  }
  return value;
}

/// Rounded to float32: relative error about 1e-7.
fn fixed_to_float(a: Fixed) -> f32 {
  let m = fixed_magnitude(a);
  let x = f32(m.z) * 0x1p8 + (f32(m.y) * 0x1p-24 + f32(m.x) * 0x1p-56);
  return select(x, -x, fixed_is_negative(a));
}

/// a / n for 0 < n < 2^31, by long division; cut off at 2^-56.
fn fixed_divide(a: Fixed, n: u32) -> Fixed {
  let m = fixed_magnitude(a);
  var quotient = Fixed();
  var remainder = 0u;
  for (var bit = 95; bit >= 0; bit--) {
    let word = u32(bit) / 32u;
    let at = u32(bit) % 32u;
    remainder = (remainder << 1u) | ((m[word] >> at) & 1u);
    if (remainder >= n) {
      remainder -= n;
      quotient[word] |= 1u << at;
    }
  }
  if (fixed_is_negative(a)) {
    return fixed_negate(quotient);
  }
  return quotient;
}

/// k ln 2 for |k| < 2^31.
fn fixed_times_ln2(k: i32) -> Fixed {
  let n = u32(abs(k));
  let low = multiply_wide(n, LN2_LOW);
  let high = multiply_wide(n, LN2_HIGH);
  let value = fixed_add(Fixed(low.y, low.x, 0u), Fixed(0u, high.y, high.x));
  if (k < 0) {
    return fixed_negate(value);
  }
  return value;
}

/// mantissa 2^exponent, the mantissa near 1: numbers far outside float32 without losing any digit.
struct Scaled {
  mantissa: f32,
  exponent: i32,
}

/// e^a, relative error about 2e-7 at any size of a: range-reduced exactly, in integers.
fn fixed_exp(a: Fixed) -> Scaled {
  let k = i32(round(fixed_to_float(a) * 1.44269504));
  let rest = fixed_to_float(fixed_subtract(a, fixed_times_ln2(k)));
  return Scaled(exp_small(rest), k);
}

/// Brings the mantissa back into [1, 2).
fn scaled_normalize(a: Scaled) -> Scaled {
  let bits = bitcast<u32>(a.mantissa);
  let mantissa = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
  return Scaled(mantissa, a.exponent + i32((bits >> 23u) & 0xffu) - 127);
}

fn scaled_multiply(a: Scaled, b: Scaled) -> Scaled {
  return scaled_normalize(Scaled(a.mantissa * b.mantissa, a.exponent + b.exponent));
}

/// Bits of the float32: infinity where it is too large, 0 where it is too small.
fn scaled_bits(a: Scaled) -> u32 {
  let n = scaled_normalize(a);
  if (n.exponent > 127) {
    return 0x7f800000u;
  }
  if (n.exponent < -126) {
    return 0u;
  }
  return (bitcast<u32>(n.mantissa) & 0x7fffffu) | (u32(n.exponent + 127) << 23u);
}
