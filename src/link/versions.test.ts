/**
 * Links as each version of the lab wrote them, for every page and for races, with what they mean: they open
 * to the same settings for good, and what they found is found again. The fixtures are never renewed; a
 * default that changes goes into its declaration (`was`), a name into `versions.ts`.
 */
import { describe, expect, test } from 'vitest';
import { repeatLink } from '../engine/headless/repeat-link';
import { nodeClient } from '../../scripts/node/client';
import { isExperimentId } from '../experiments/manifest';
import { runSettings } from '../settings/run';
import { real, settingsOf, type Setting } from '../settings/setting';
import { trainingOf } from '../settings/training';
import fixtures from './fixtures/version-1.json';
import version2 from './fixtures/version-2.json';
import version3 from './fixtures/version-3.json';
import { writeFingerprint } from './fingerprint';
import { openLink, writeLink, type Link } from './link';
import { PAGE_IDS, pageSettings, type PageSettings } from './pages';

/** What a link says, in terms that do not depend on how links are written. */
function meaning({ page, run, view, embed, hide, fingerprint }: Link) {
  const written = fingerprint && writeFingerprint(fingerprint);
  const common = { page, run, embed, hide, fingerprint: written };
  return page === 'train'
    ? { ...common, race: trainingOf(view as PageSettings<'train'>), raced: view['found'] }
    : { ...common, view };
}

const links = fixtures.flatMap(({ hash, opens }, i) => [
  { hash, opens },
  { hash: version2[i], opens },
  { hash: version3[i], opens },
]);

describe('a link of an earlier day', () => {
  test.each(links)('$hash', ({ hash, opens }) => {
    const { link, problems } = openLink(hash);
    expect(problems).toEqual([]);
    // settings that there were not on that day are left out
    expect(meaning(link)).toMatchObject(opens);
    // and written by today's lab, it says the same
    const again = openLink(writeLink(link, { dated: true }));
    expect(again.problems).toEqual([]);
    expect(again.link).toEqual(link);
  });

  // Without settings and without a measurement, and younger than the first two versions; or younger than all.
  const read: readonly string[] = [
    'start',
    'glossary',
    'numerics',
    'class',
    'device',
    'lessons',
    'entropy',
    'experts',
    'stability',
  ];

  test('is there for every page, with and without a fingerprint', () => {
    const pages = (some: typeof fixtures) => [...new Set(some.map(({ opens }) => opens.page))];
    expect(pages(fixtures).sort()).toEqual(PAGE_IDS.filter((page) => !read.includes(page)).sort());
    const found = fixtures.filter(({ opens }) => opens.fingerprint !== null);
    expect(pages(found).sort()).toEqual(
      PAGE_IDS.filter((page) => page !== 'train' && !read.includes(page)).sort(),
    );
    expect(fixtures.some(({ opens }) => (opens.raced ?? null) !== null)).toBe(true);
  });

  // Of the pages that measure; a policy's run takes seconds (`scripts/experiment.test.ts` repeats one).
  const repeated = fixtures.filter(
    ({ opens: { page, run, fingerprint } }) =>
      fingerprint !== null && run.source.kind === 'synthetic' && isExperimentId(page),
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

describe('settings in links', () => {
  const declared = (was?: Record<number, unknown>) =>
    settingsOf({
      entries: { x: real(0, 1, 0.5, { label: 'X', ...(was === undefined ? {} : { was }) }) },
    }).get('x') as Setting;

  test('leave unsaid what was the default on the day of the link', () => {
    const before = declared();
    expect([1, 2, 3].map(before.fallbackAt)).toEqual([0.5, 0.5, 0.5]);
    const changed = declared({ 2: 0.1 });
    expect([1, 2, 3].map(changed.fallbackAt)).toEqual([0.1, 0.1, 0.5]);
    const twice = declared({ 1: 0, 2: 0.1 });
    expect([1, 2, 3].map(twice.fallbackAt)).toEqual([0, 0.1, 0.5]);
  });

  test('of a page are called otherwise than those of a run', () => {
    const run = new Set(
      (['policies', 'synthetic'] as const).flatMap((kind) =>
        runSettings(kind).map(({ name }) => name),
      ),
    );
    for (const special of ['source', 'v', 'embed', 'hide', 'fp', 'seat']) run.add(special);
    for (const page of PAGE_IDS) {
      const names = [...pageSettings(page).values()].map(({ name }) => name);
      expect(names.filter((name) => run.has(name))).toEqual([]);
    }
  });
});
