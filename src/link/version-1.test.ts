/**
 * Links as version 1 of the lab wrote them, for every page and for races, with what they meant: they open
 * to the same settings for good, and what they found is found again. The fixtures are never renewed.
 */
import { describe, expect, test } from 'vitest';
import { repeatLink } from '../engine/repeat';
import { nodeClient } from '../../scripts/node/client';
import { hasExperiment } from './experiments';
import fixtures from './fixtures/version-1.json';
import { writeFingerprint } from './fingerprint';
import { openLink, writeLink, type Link } from './hash';
import { PAGE_IDS, type PageId } from './pages';
import { trainingOf, type RaceView } from './race';

/** What a link says, in terms that do not depend on how links are written. */
function meaning({ page, run, view, embed, hide, fingerprint }: Link) {
  const written = fingerprint && writeFingerprint(fingerprint);
  const common = { page, run, embed, hide, fingerprint: written };
  return page === 'train'
    ? { ...common, race: trainingOf(view as RaceView), raced: view['raced'] }
    : { ...common, view };
}

describe('a link of version 1', () => {
  test.each(fixtures)('$hash', ({ hash, opens }) => {
    const { link, problems } = openLink(hash);
    expect(problems).toEqual([]);
    expect(meaning(link)).toEqual(opens);
    // and written by today's lab, it says the same
    const again = openLink(writeLink(link, { dated: true }));
    expect(again.problems).toEqual([]);
    expect(meaning(again.link)).toEqual(opens);
  });

  test('is there for every page, with and without a fingerprint', () => {
    const pages = (some: typeof fixtures) => [...new Set(some.map(({ opens }) => opens.page))];
    expect(pages(fixtures).sort()).toEqual([...PAGE_IDS].sort());
    const found = fixtures.filter(({ opens }) => opens.fingerprint !== null);
    expect(pages(found).sort()).toEqual(PAGE_IDS.filter((page) => page !== 'train').sort());
    expect(fixtures.some(({ opens }) => (opens.raced ?? null) !== null)).toBe(true);
  });

  // Of the pages that measure; a policy's run takes seconds (`scripts/experiment.test.ts` repeats one).
  const repeated = fixtures.filter(
    ({ opens: { page, run, fingerprint } }) =>
      fingerprint !== null && run.source.kind === 'synthetic' && hasExperiment(page as PageId),
  );
  test.each(repeated)('finds what it found: $hash', async ({ hash }) => {
    const client = nodeClient();
    try {
      const options = { app: '', address: '', hash, backend: null, files: [] };
      const { comparison } = await repeatLink(client, options, () => undefined);
      expect(comparison).toMatchObject({ same: true, allTokens: true, unknownFigures: 0 });
    } finally {
      client.close();
    }
  });
});
