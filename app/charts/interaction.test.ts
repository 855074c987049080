/** Which stop a pointer means; how the layer is used in a browser is tested there (e2e/charts.spec.ts). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from './frame';
import { ALONG_X, ALONG_Y, nearestStop, OVER_LENGTH, POINT } from './interaction';
import { linearScale, logScale } from './scale';

const frame: Frame = {
  left: 0,
  width: 100,
  height: 200,
  x: (value) => value * 100,
  y: (value) => (1 - value) * 200,
  xScale: linearScale([0, 1]),
  yScale: linearScale([0, 1]),
};

describe('nearestStop', () => {
  it('finds every point of a cloud where it is, and none far from all', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.record({ x: share, y: share }), { minLength: 1 }), (stops) => {
        for (const { x, y } of stops) {
          const found = nearestStop({ stops, reach: POINT }, frame, frame.x(x), frame.y(y));
          const at = stops[found ?? -1];
          expect(
            Math.hypot(frame.x(at?.x ?? 9) - frame.x(x), frame.y(at?.y ?? 9) - frame.y(y)),
          ).toBeLessThan(1e-9);
        }
        expect(nearestStop({ stops, reach: POINT }, frame, 300, 300)).toBeNull();
      }),
    );
  });

  it('goes along one axis alone where a chart is read along it', () => {
    const stops = [
      { x: 0.2, y: 0.9 },
      { x: 0.8, y: 0.1 },
    ];
    expect(nearestStop({ stops, reach: ALONG_X }, frame, 75, 20)).toBe(1);
    expect(nearestStop({ stops, reach: ALONG_Y }, frame, 75, 20)).toBe(0);
    expect(nearestStop({ stops: [], reach: ALONG_X }, frame, 75, 20)).toBeNull();
  });

  it('counts where a mark is drawn: beside its value, and at the foot where its value has no place', () => {
    const y = logScale([0.01, 1]);
    const log: Frame = { ...frame, y: (value) => (1 - y.at(value)) * 200, yScale: y };
    const stops = [
      { x: 0.5, y: 0.1, dodge: -20 },
      { x: 0.5, y: 0, dodge: 20 },
    ];
    expect(nearestStop({ stops, reach: OVER_LENGTH }, log, 31, 100)).toBe(0);
    expect(nearestStop({ stops, reach: OVER_LENGTH }, log, 69, 199)).toBe(1);
    expect(nearestStop({ stops, reach: POINT }, log, 70, 100)).toBeNull();
    expect(nearestStop({ stops, reach: POINT }, log, 70, 199)).toBe(1);
  });
});
