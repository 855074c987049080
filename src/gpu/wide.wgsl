// Products of 32-bit integers, whole. Appended to shaders.

/// High and low 32 bits of the 64-bit product, by 16-bit limbs.
fn multiply_wide(a: u32, b: u32) -> vec2u {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle1 = a_high * b_low + ((a_low * b_low) >> 16u);
  let middle2 = a_low * b_high + (middle1 & 0xffffu);
  return vec2u(a_high * b_high + (middle1 >> 16u) + (middle2 >> 16u), a * b);
}
