import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syntheticSourceSchema } from '../../src/settings/run';
import {
  readTyped,
  settingsOf,
  type NumberShape,
  type SliderShape,
} from '../../src/settings/setting';
import { sliderPosition, sliderText } from './slider';

const SETTINGS = [...settingsOf(syntheticSourceSchema).values()].filter(
  ({ slider }) => slider !== undefined,
);
/** Where the slider can stand: steps of 0.005. */
const position = fc.integer({ min: 0, max: 200 }).map((step) => step / 200);

it('every number of the synthetic source but the seed has a slider', () => {
  const numbers = [...settingsOf(syntheticSourceSchema).values()].filter(
    ({ shape, key }) => shape.kind === 'number' && key !== 'seed',
  );
  expect(SETTINGS).toEqual(numbers);
});

describe.each(SETTINGS)('the slider of $key', (setting) => {
  const field = setting.shape as NumberShape;
  const shape = setting.slider as SliderShape;

  it('gives a value that the field accepts, wherever it stands', () => {
    fc.assert(
      fc.property(position, (p) => {
        expect(readTyped(setting, sliderText(field, shape, p))).toHaveProperty('value');
      }),
    );
  });

  it('reaches both ends', () => {
    expect(Number(sliderText(field, shape, 0))).toBe(field.low);
    const end = sliderPosition(field, shape, field.high);
    expect(Number(sliderText(field, shape, end))).toBe(field.high);
  });

  it('never goes back as it moves on', () => {
    fc.assert(
      fc.property(position, position, (p, q) => {
        const [a, b] = [Math.min(p, q), Math.max(p, q)].map((x) => {
          const value = Number(sliderText(field, shape, x));
          // the special 0 of the tails stands for infinitely many degrees
          return field.zero !== undefined && value === 0 ? Infinity : value;
        });
        expect(a).toBeLessThanOrEqual(b);
      }),
    );
  });

  it('comes back to the value it stands for', () => {
    fc.assert(
      fc.property(position, (p) => {
        const text = sliderText(field, shape, p);
        const there = sliderPosition(field, shape, Number(text));
        expect(sliderText(field, shape, there)).toBe(text);
      }),
    );
  });
});
