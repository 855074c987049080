// Philox4x32-10 (Salmon et al. 2011), the same bits as src/math/philox.ts. Appended to shaders.

fn philox4x32(key: vec2u, counter: vec4u) -> vec4u {
  var k = key;
  var x = counter;
  for (var round = 0; round < 10; round++) {
    let p0 = multiply_wide(0xd2511f53u, x.x);
    let p1 = multiply_wide(0xcd9e8d57u, x.z);
    x = vec4u(p1.x ^ x.y ^ k.x, p1.y, p0.x ^ x.w ^ k.y, p0.y);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return x;
}

/// 32 random bits to a float in (0, 1), exact: the top 23 bits plus a half.
fn unit_interval(bits: u32) -> f32 {
  return (f32(bits >> 9u) + 0.5) * 0x1p-23;
}
