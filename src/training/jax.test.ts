import { expect, test } from 'vitest';
import { withoutStoragePointers } from './jax';

test('a scatter-add gets the index of the output, not a pointer into it', () => {
  const code = `
fn atomic_add_f32(address: ptr<storage, atomic<u32>, read_write>, value: f32) {
  var old = atomicLoad(address);
  let result = atomicCompareExchangeWeak(address, old, bitcast<u32>(value));
}
@group(0) @binding(2) var<storage, read_write> output: array<atomic<u32>>;
fn main() { atomic_add_f32(&output[output_index], updates[global]); }`;
  expect(withoutStoragePointers(code)).toBe(`
fn atomic_add_f32(address: u32, value: f32) {
  var old = atomicLoad(&output[address]);
  let result = atomicCompareExchangeWeak(&output[address], old, bitcast<u32>(value));
}
@group(0) @binding(2) var<storage, read_write> output: array<atomic<u32>>;
fn main() { atomic_add_f32(output_index, updates[global]); }`);
});

test('other shaders stay as they are', () => {
  const code = 'fn f(address: u32) { atomicAdd(&output[address], 1u); }';
  expect(withoutStoragePointers(code)).toBe(code);
});
