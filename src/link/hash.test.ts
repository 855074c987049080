import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLink, settingsToQuery, writeLink, type Link } from './hash';
import { pageDefaults, type PageId } from './pages';
import {
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  MAX_TOKENS,
  runSize,
} from './settings';
import { links } from './testing';

const bare = (page: PageId): Link => openLink(`#/${page}`).link;

describe('a link', () => {
  test('carries every setting, every choice of the page and the fingerprint there and back', () => {
    fc.assert(
      fc.property(links, fc.boolean(), (link, dated) => {
        expect(openLink(writeLink(link, { dated }))).toEqual({ link, problems: [] });
      }),
      { numRuns: 1000 },
    );
  });

  test('holds only what differs from the defaults', () => {
    const link = bare('variance');
    expect(writeLink(link)).toBe('#/variance');
    expect(writeLink(link, { dated: true })).toBe('#/variance?v=1');
    const run = { ...DEFAULT_SETTINGS, source: { ...DEFAULT_POLICIES, alpha: 0.5 } };
    expect(writeLink({ ...link, run })).toBe('#/variance?v=1&alpha=0.5');
    expect(writeLink({ ...link, run: { backend: 'auto', source: DEFAULT_SYNTHETIC } })).toBe(
      '#/variance?v=1&source=synthetic',
    );
    expect(writeLink({ ...link, view: { ...link.view, axes: 'linear' }, embed: true })).toBe(
      '#/variance?v=1&axes=linear&embed=1',
    );
    const clipping = bare('clipping');
    expect(
      writeLink({ ...clipping, view: { ...clipping.view, objectives: ['gspo', 'rloo'] } }),
    ).toBe('#/clipping?v=1&objectives=gspo,rloo');
    expect(settingsToQuery(run)).toBe('?v=1&alpha=0.5');
    expect(settingsToQuery(DEFAULT_SETTINGS)).toBe('');
  });

  test.each([
    ['alpha=7', /alpha = "7"\. It may be a number from -1 to 2\. 1 is used/],
    ['alpha=half', /alpha = "half"/],
    ['prompts=1.5', /prompts.*a whole number from 1 to 4096\. 64 is used/],
    ['backend=cuda', /backend = "cuda"\. It may be auto, webgpu or wasm\. auto is used/],
    ['policy=../../x', /policy.*letters, digits and dashes/],
    ['minOperators=5&maxOperators=3', /minOperators/],
    ['sigma=0.1', /"sigma" that this page does not know/],
    ['__proto__=1&constructor=2', /"__proto__", "constructor" that this page does not know/],
    ['source=file', /source "file"/],
    ['bins=7', /bins = "7"\. It may be 6, 10 or 16\. 10 is used/],
    ['axes=cubic', /axes = "cubic"/],
    ['embed=yes', /embed = "yes"/],
    ['hide=all', /hide = "all"\. It may be a list of setup, run, controls or words/],
    ['fp=AAAA', /fingerprint in the link is damaged/],
    ['v=2&alpha=0.5', /version "2"; this lab reads versions up to 1/],
    ['v=&alpha=0.5', /version ""/],
  ])('%s is refused with a sentence, and the default stays', (query, sentence) => {
    const { link, problems } = openLink(`#/variance?${query}`);
    const { run, view, embed, hide, fingerprint: found } = link;
    if (!query.startsWith('minOperators')) expect(run).toEqual(DEFAULT_SETTINGS);
    expect(view).toEqual(pageDefaults('variance'));
    expect({ embed, hide, found }).toEqual({ embed: false, hide: [], found: null });
    expect(problems.join(' ')).toMatch(sentence);
  });

  test('one wrong value costs only itself, and a fingerprint is not held against other settings', () => {
    const fp = writeLink(sampleLink()).split('fp=')[1];
    const opened = openLink(`#/variance?v=1&alpha=9&prompts=7&bins=16&fp=${fp}`);
    expect(opened.link.run.source).toEqual({ ...DEFAULT_POLICIES, prompts: 7 });
    expect(opened.link.view['bins']).toBe(16);
    expect(opened.link.fingerprint).toBe(null);
    expect(opened.problems.join(' ')).toMatch(/belongs to other settings/);
  });

  test('longer than any that the lab writes is not read', () => {
    const { link, problems } = openLink(`#/variance?alpha=0.5&policy=${'a'.repeat(5000)}`);
    expect(link).toEqual(bare('variance'));
    expect(problems.join(' ')).toMatch(/longer than 4096/);
  });

  test('names a page that does not exist, and opens the first one', () => {
    const { link, problems } = openLink('#/constructor?v=1&alpha=0.5');
    expect(link.page).toBe('equivalence');
    expect(problems[0]).toMatch(/no page "constructor"/);
    expect(openLink('').problems).toEqual([]);
  });

  test('a run larger than a tab can hold is refused, whoever asks', () => {
    const query = '#/variance?v=1&source=synthetic&prompts=100000&groupSize=1024&maxLength=4096';
    const { link, problems } = openLink(query);
    expect(runSize(link.run).tokens).toBeLessThanOrEqual(MAX_TOKENS);
    expect(problems.join(' ')).toMatch(/at most 50,000,000 fit into a tab/);
  });
});

function sampleLink(): Link {
  const [link] = fc.sample(
    links.filter((l) => l.fingerprint !== null),
    { numRuns: 1, seed: 4 },
  );
  return link as Link;
}
