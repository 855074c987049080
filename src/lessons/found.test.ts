/** What the shipped lessons say was found is found again: their links, run; those of policies and races only on demand. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nodeClient } from '../../scripts/node/client';
import { repeatLink } from '../engine/headless/repeat-link';
import { peeking } from '../math/stats/peeking';
import { isOtherCheck, otherCheck, peekingValue } from './checks';
import { measuredCurve } from './curves';
import { readLesson } from './lesson';
import { scoreChoice } from './score';
import { SHIPPED_LESSONS } from './shipped';

const steps = SHIPPED_LESSONS.flatMap((id) => {
  const file = new URL(`../../public/lessons/${id}.json`, import.meta.url);
  const { lesson } = readLesson(readFileSync(file, 'utf8'));
  return (lesson?.steps ?? []).map((step, i) => ({ name: `${id} ${i + 1}`, step }));
});
const inNode = steps.filter(
  ({ step }) =>
    step.opened.run.source.kind === 'synthetic' &&
    (step.check !== undefined || step.ask?.kind === 'draw'),
);

describe('a step, run', () => {
  test.each(inNode)('$name', async ({ step }) => {
    const { ask, check, found, link } = step;
    if (check !== undefined && isOtherCheck(check)) {
      expect(otherCheck(check).of).toBe('peeking');
      expect(found).toBe(peekingValue(check, peeking(0)).measured);
      return;
    }
    const client = nodeClient();
    const { claims, result, problems } = await repeatLink(
      client,
      { app: 'test', address: '', hash: link, backend: 'wasm', files: [] },
      () => {},
    );
    client.close();
    expect(problems).toEqual([]);
    if (ask?.kind === 'draw') {
      const points = measuredCurve(ask.curve, result);
      // the chart that is drawn on is the one that the measurement fits on
      const inside = points.filter(
        ({ x, y }) => x >= ask.x[0] && x <= ask.x[1] && y >= ask.y[0] && y <= ask.y[1],
      );
      expect(inside.length).toBeGreaterThan(5);
      expect(inside.length).toBeGreaterThan(points.length - 3);
      return;
    }
    const claim = claims.find(({ id }) => id === check);
    // an identity is off by rounding alone, which is the machine's
    const said = claim?.interval === null && (claim.measured ?? 1) < 1e-5 ? 0 : claim?.measured;
    expect(Number(said?.toPrecision(3))).toBe(found);
    if (ask?.kind !== 'choice' || typeof claim?.measured !== 'number') return;
    const { right, sure } = scoreChoice(ask.options, {
      measured: claim.measured,
      interval: claim.interval,
    });
    expect(right).toBeGreaterThanOrEqual(0);
    expect(sure).toBe(true);
  });
});
