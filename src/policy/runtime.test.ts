/** The choice of onnxruntime's build, by what the browser can do. */
import { expect, test } from 'vitest';
import { buildFor, hasJspi } from './runtime';

test('JSPI is there where both of its halves are', () => {
  const half = { Suspending: class {} };
  expect(hasJspi({ ...half, promising: () => undefined })).toBe(true);
  expect(hasJspi(half)).toBe(false);
  expect(hasJspi({})).toBe(false);
});

test('each build is chosen where it belongs', () => {
  expect(buildFor('webgpu', true)).toBe('jspi');
  expect(buildFor('webgpu', false)).toBe('asyncify');
  expect(buildFor('wasm', true)).toBe('wasm');
  expect(buildFor('wasm', false)).toBe('wasm');
});
