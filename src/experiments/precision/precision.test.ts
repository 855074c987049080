import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { DEFAULT_SYNTHETIC, type SyntheticSource } from '../../settings/run';
import { cpuKernels } from '../../math/cpu-kernels';
import type { Rollouts } from '../../rollouts/rollouts';
import { syntheticRollouts } from '../../rollouts/synthetic';
import { precision } from '.';
import { precisionSettingsSchema } from './settings';
import { roundTo, spacing, type NumberFormat } from './rounding';

const context = { kernels: cpuKernels, seed: 1 };
/** The synthetic model has few distinct log-probs; real ones do not. */
function made(change: Partial<SyntheticSource> = {}): Rollouts {
  const rollouts = syntheticRollouts({
    ...DEFAULT_SYNTHETIC,
    prompts: 300,
    sigma: 0.02,
    ...change,
  });
  const old = Float64Array.from(rollouts.logpOld, (x, t) => x - ((t * 0.6180339887) % 1) * 1.7);
  const logpNew = Float64Array.from(old, (x, t) => x + (rollouts.logpNew[t] - rollouts.logpOld[t]));
  return { ...rollouts, logpOld: old, logpNew };
}
const run = (rollouts: Rollouts) => precision.run(rollouts, precision.defaults, context);

describe('rounding', () => {
  const logp = fc.double({ min: -60, max: -1e-3, noNaN: true });

  it('float32 is what the machine does', () => {
    fc.assert(
      fc.property(logp, (x) => {
        expect(roundTo(x, 'fp32')).toBe(Math.fround(x));
      }),
    );
  });

  it('bfloat16 is round-to-even on the top half of a float32', () => {
    const view = new DataView(new ArrayBuffer(4));
    const bf16 = (x: number) => {
      view.setFloat32(0, x);
      const word = view.getUint32(0);
      const rounded = word + 0x7fff + ((word >>> 16) & 1);
      view.setUint32(0, (rounded & 0xffff0000) >>> 0);
      return view.getFloat32(0);
    };
    fc.assert(
      fc.property(logp, (x) => {
        const single = Math.fround(x);
        expect(roundTo(single, 'bf16')).toBe(bf16(single));
      }),
    );
  });

  it.each([
    [-1 / 3, -0.333251953125],
    [-1, -1],
    [-0.1, -0.0999755859375],
    [-5.9604644775390625e-8, -5.9604644775390625e-8],
    [-2.5, -2.5],
  ])('fp16 of %d is %d', (x, expected) => {
    expect(roundTo(x, 'fp16')).toBe(expected);
  });

  it('ties go to the even neighbour', () => {
    expect(roundTo(-(1 + 2 ** -8), 'bf16')).toBe(-1);
    expect(roundTo(-(1 + 3 * 2 ** -8), 'bf16')).toBe(-(1 + 2 ** -6));
  });

  it('is never further than half a spacing, and stays put when repeated', () => {
    fc.assert(
      fc.property(
        logp,
        fc.constantFrom<NumberFormat>('fp32', 'bf16', 'fp16', 3, 6),
        (x, format) => {
          const y = roundTo(x, format);
          expect(Math.abs(y - x)).toBeLessThanOrEqual(0.5000001 * spacing(x, format));
          expect(roundTo(y, format)).toBe(y);
        },
      ),
    );
  });
});

describe('precision', () => {
  it('its defaults pass its own schema', () => {
    expect(v.safeParse(precisionSettingsSchema, precision.defaults).success).toBe(true);
  });

  it('errors are those of uniform rounding: spread and share on the wrong side', async () => {
    const { rows, claims } = await run(made());
    for (const { label, error, predictedRms, wrongSide } of rows) {
      if (label === 'fp32') continue;
      expect(error.rms / predictedRms, label).toBeGreaterThan(0.85);
      expect(error.rms / predictedRms, label).toBeLessThan(1.15);
      expect(Math.abs(wrongSide.measured - wrongSide.predicted), label).toBeLessThan(0.02);
    }
    expect(claims.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['precision.bf16', 'holds'],
      ['precision.six-decimals', expect.stringMatching(/holds|undecided/)],
    ]);
  });

  it('coarser formats are worse, and float32 is harmless', async () => {
    const { rows } = await run(made());
    const rms = Object.fromEntries(rows.map(({ label, error }) => [label, error.rms]));
    for (const order of [
      ['fp32', 'fp16', 'bf16'],
      ['6 decimals', '4 decimals', '3 decimals'],
    ]) {
      const sizes = order.map((label) => rms[label]);
      expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    }
    expect(rms['fp32']).toBeLessThan(1e-7);
  });

  it('data that already is on the grid has no error', async () => {
    const rollouts = made();
    const onGrid = {
      ...rollouts,
      logpOld: rollouts.logpOld.map((x) => roundTo(x, 'bf16')),
      logpNew: rollouts.logpNew.map((x) => roundTo(x, 'bf16')),
    };
    const { rows } = await run(onGrid);
    const bf16 = rows.find((row) => row.format === 'bf16');
    expect(bf16?.error.max).toBe(0);
    expect(bf16?.wrongSide).toMatchObject({ measured: 0, predicted: 0 });
  });

  it('errors with a sign break the uniform model, and the claim fails', async () => {
    // every old log-prob sits just above a bf16 midpoint, every new one on the grid below it
    const rollouts = made();
    const logpOld = Float64Array.from(rollouts.logpOld, (x) => {
      const y = roundTo(x, 'bf16');
      return y + 0.49 * spacing(y, 'bf16');
    });
    const logpNew = logpOld.map((x) => x + 1e-6);
    const { claims } = await run({ ...rollouts, logpOld, logpNew });
    expect(claims.find((claim) => claim.id === 'precision.bf16')?.verdict).toBe('fails');
  });

  it('few prompts carry no verdict', async () => {
    const { claims } = await run(made({ prompts: 5 }));
    for (const claim of claims) expect(claim.verdict).toBe('undecided');
  });
});
