import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RACER, DEFAULT_TRAINING, MAX_RACERS } from '../../../src/settings/training';
import type { StepReport } from '../../../src/training/report';
import { CurveLegend } from '../../charts/Curves';
import { Course } from './Controls';
import { looksOf } from './names';
import { curvesOf, FIGURES } from './series';
import type { PresentRace } from './session';

const racers = Array.from({ length: MAX_RACERS }, () => DEFAULT_RACER.gspo);

describe('racers of a race', () => {
  it('are told apart by dash and by mark, colours aside', () => {
    const looks = looksOf(racers);
    expect(new Set(looks.map(({ dash }) => dash)).size).toBe(MAX_RACERS);
    expect(new Set(looks.map(({ shape }) => shape)).size).toBe(MAX_RACERS);
    expect(looks[0]?.dash).toBeNull();
  });

  it('have their dash on every line, which a second quantity is no other dash of, but thin', () => {
    const report = { step: 1, clip: { trl: 0.1, verl: 0.2 } } as StepReport;
    const clip = FIGURES.find(({ id }) => id === 'clip');
    if (!clip) throw new Error('no figure of clip shares');
    const lines = looksOf(racers).map((look) => ({ look, reports: [report], faint: false }));
    const curves = curvesOf(clip, lines, 1);
    expect(curves.map(({ kind, dash }) => [kind, dash])).toEqual(
      lines.flatMap(({ look }) => [
        ['line', look.dash],
        ['thin', look.dash],
      ]),
    );
  });

  it('have their dash in the legend', () => {
    const html = renderToStaticMarkup(
      <CurveLegend entries={looksOf(racers).map((look) => ({ ...look, kind: 'line' as const }))} />,
    );
    const dashes = [...html.matchAll(/stroke-dasharray="([^"]+)"/g)].map(([, dash]) => dash);
    // the first racer's line is whole
    expect(dashes).toEqual(['8 3', '2 3', '9 3 2 3']);
  });
});

describe('the course of a race', () => {
  const race = (trouble: string | undefined): PresentRace => ({
    id: 1,
    settings: DEFAULT_TRAINING,
    reports: [[], []],
    own: null,
    progress: null,
    backend: {
      policy: 'webgpu',
      kernels: 'webgpu',
      adapter: 'Some GPU',
      reason: 'The settings force it.',
      threads: 1,
      ...(trouble === undefined ? {} : { trouble }),
    },
    claims: null,
    failure: null,
    held: [[], []],
    kept: null,
    keepingTrouble: null,
    samples: {},
  });

  it('says on what it trains, and alerts to a device that failed its check', () => {
    const failed = renderToStaticMarkup(
      <Course race={race('Log-probs are off by 0.3.')} estimate={null} />,
    );
    expect(failed).toMatch(/policy on <b>WebGPU<\/b>.*Some GPU\. The settings force it\./);
    expect(failed).toMatch(/role="alert"[^>]*>.*only because the settings say so.*off by 0\.3/);
    const sound = renderToStaticMarkup(<Course race={race(undefined)} estimate={null} />);
    expect(sound).not.toContain('role="alert"');
  });
});
