// Logarithm and exponential whose error is known: WGSL only promises 2^-21 for log near 1 and
// (3 + 2|x|) ULP for exp. Appended to the shaders that need them.

const LN2 = 0.693147180559945;

/// ln(x) for positive, normal x: about 1e-7 relative, also near 1. atanh series, |z| <= 0.172.
fn log_accurate(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  var exponent = i32(bits >> 23u) - 127;
  var m = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
  if (m > 1.41421356) {
    m *= 0.5;
    exponent += 1;
  }
  let z = (m - 1.0) / (m + 1.0);
  let z2 = z * z;
  let series = z * (2.0 + z2 * (2.0 / 3.0 + z2 * (0.4 + z2 * (2.0 / 7.0 + z2 * (2.0 / 9.0)))));
  return f32(exponent) * LN2 + series;
}

/// exp(x) for |x| <= 0.36: about 1e-7 relative. Taylor series to x^7.
fn exp_small(x: f32) -> f32 {
  let high = 1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x * (1.0 / 5040.0)));
  return 1.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * high)));
}
