import { describe, expect, test } from 'vitest';
import { openLink, writeLink } from './hash';
import { fieldsOf, PAGE_IDS } from './pages';
import { DEFAULT_POLICIES, policiesSourceSchema, syntheticSourceSchema } from './settings';
import { LINK_VERSION, LINK_VERSIONS, type LinkVersions } from './versions';

/** Links as the first version wrote them, and what they meant on that day, spelled out. */
const OLD_LINKS: [string, { run: unknown; view: unknown }][] = [
  [
    '#/variance?v=1',
    {
      run: {
        backend: 'auto',
        source: {
          kind: 'policies',
          policy: 'arithmetic-dense',
          old: 'gspo-00100',
          new: 'gspo-00101',
          alpha: 1,
          prompts: 64,
          groupSize: 8,
          minOperators: 1,
          maxOperators: 9,
          temperature: 1,
          maxLength: 180,
          seed: 1,
        },
      },
      view: {
        bins: 10,
        axes: 'log',
        curve: 'both',
        unnormalisedAxes: 'log',
        tokenAxes: 'linear',
      },
    },
  ],
  [
    '#/clipping?v=1&backend=wasm&source=synthetic&sigma=0.3&objectives=gspo,rloo&z=2.5',
    {
      run: {
        backend: 'wasm',
        source: {
          kind: 'synthetic',
          prompts: 500,
          groupSize: 8,
          lengthShape: 'log-normal',
          minLength: 4,
          maxLength: 256,
          mu: 0,
          sigma: 0.3,
          rho: 0,
          tau: 0,
          tailDegrees: 0,
          drift: 1,
          seed: 1,
        },
      },
      view: {
        objectives: ['gspo', 'rloo'],
        show: 'clipped',
        z: 2.5,
        map: 'gspo',
        lowAxis: 'linear',
        highAxis: 'linear',
        correction: 'none',
        corrLow: null,
        corrHigh: null,
      },
    },
  ],
];

describe('versions', () => {
  test.each(OLD_LINKS)('%s still means what it meant when it was written', (hash, meant) => {
    const { link, problems } = openLink(hash);
    expect(problems).toEqual([]);
    expect(link.run).toEqual(meant.run);
    expect(link.view).toEqual(meant.view);
  });

  const [old] = [LINK_VERSIONS.frozen.get(1)];
  if (old === undefined) throw new Error('version 1 is gone');

  /** A lab in which defaults have changed: the pair is 0.5 apart, there are 256 prompts, axes are linear. */
  const changed: LinkVersions = {
    current: 2,
    frozen: new Map([
      [1, old],
      [
        2,
        {
          ...old,
          sources: {
            ...old.sources,
            policies: { ...old.sources['policies'], alpha: '0.5', prompts: '256' },
          },
          pages: { ...old.pages, variance: { ...old.pages['variance'], axes: 'linear' } },
        },
      ],
    ]),
    migrations: new Map(),
  };

  test('an old link keeps its meaning after a change of defaults', () => {
    const written = '#/variance?v=1&groupSize=4';
    const { link } = openLink(written, changed);
    expect(link.run.source).toEqual({ ...DEFAULT_POLICIES, alpha: 1, prompts: 64, groupSize: 4 });
    expect(link.view['axes']).toBe('log');
    const today = openLink('#/variance?v=2&groupSize=4', changed).link;
    expect(today.run.source).toMatchObject({ alpha: 0.5, prompts: 256, groupSize: 4 });
    expect(today.view['axes']).toBe('linear');
    // Written again it says what it used to leave unsaid.
    expect(writeLink(link, { versions: changed })).toBe(
      '#/variance?v=2&alpha=1&prompts=64&groupSize=4&axes=log',
    );
    expect(openLink(writeLink(link, { versions: changed }), changed).link).toEqual(link);
  });

  test('a setting that was renamed or rescaled is migrated', () => {
    const renamed: LinkVersions = {
      ...changed,
      migrations: new Map([
        [
          1,
          (texts, page) => {
            const now = new Map(texts);
            now.set('groupSize', String(2 * Number(texts.get('groupSize'))));
            if (page === 'variance')
              now.set('curve', texts.get('curve') === 'both' ? 'natural' : '');
            return now;
          },
        ],
      ]),
    };
    const { link } = openLink('#/variance?v=1&groupSize=4', renamed);
    expect(link.run.source.groupSize).toBe(8);
    expect(link.view['curve']).toBe('natural');
  });

  test('every setting that a link can leave unsaid is frozen for the present version', () => {
    const frozen = LINK_VERSIONS.frozen.get(LINK_VERSION);
    expect(Object.keys(frozen?.pages ?? {}).sort()).toEqual([...PAGE_IDS].sort());
    for (const page of PAGE_IDS) {
      const fields = fieldsOf(page);
      const texts = frozen?.pages[page] ?? {};
      expect(Object.keys(texts).sort()).toEqual([...fields.keys()].sort());
      for (const [name, text] of Object.entries(texts)) {
        expect(fields.get(name)?.read(text), `${page}.${name}`).toBeDefined();
      }
    }
    for (const schema of [policiesSourceSchema, syntheticSourceSchema]) {
      const { kind, ...entries } = schema.entries;
      expect(Object.keys(frozen?.sources[kind.literal] ?? {}).sort()).toEqual(
        Object.keys(entries).sort(),
      );
    }
  });

  test('no page calls a choice by the name of a setting of the run', () => {
    const run = new Set([
      ...Object.keys(policiesSourceSchema.entries),
      ...Object.keys(syntheticSourceSchema.entries),
      ...['backend', 'source', 'v', 'embed', 'hide', 'fp'],
    ]);
    for (const page of PAGE_IDS) {
      expect([...fieldsOf(page).keys()].filter((name) => run.has(name))).toEqual([]);
    }
  });
});
