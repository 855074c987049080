import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { EXPERIMENT_IDS } from '../experiments/manifest';
import { EXPERIMENTS } from '../experiments/registry';
import { consentFor, HIDEABLE, openLink, settingsToQuery, writeLink, type Link } from './link';
import { experimentSettings } from './experiments';
import {
  FIRST_PAGE,
  isPageId,
  PAGE_SETTINGS,
  pageDefaults,
  pageSettings,
  type PageId,
  type PageSettings,
} from './pages';
import {
  DEFAULT_MODELS,
  DEFAULT_POLICIES,
  DEFAULT_SETTINGS,
  DEFAULT_SYNTHETIC,
  MAX_TOKENS,
  parseRunSettings,
  runSize,
} from '../settings/run';
import { offered, settingsOf, whole } from '../settings/setting';
import { DEFAULT_TRAINING, FIRST_LOOK, trainingOf } from '../settings/training';
import { links, mutatedLinks, viewOf } from './testing';

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

  test('carries models of other people and their prompts, and asks before anything is fetched', () => {
    const source = {
      ...DEFAULT_MODELS,
      old: 'hub:someone/small-model@0123456789abcdef0123456789abcdef01234567',
      new: 'folder:my model',
      newDtype: 'q4f16' as const,
      texts: 'One, two & three\n{"prompt": "2+2=\\n", "answer": 4}',
      system: 'Be brief.',
      chat: true,
    };
    const link = { ...bare('variance'), run: { backend: 'auto' as const, source } };
    expect(openLink(writeLink(link))).toEqual({ link, problems: [] });
    expect(consentFor(link.run)).toMatch(/someone\/small-model.*Nothing of them is fetched/);
    const hostile = openLink('#/variance?source=models&old=hub:..%2Fetc&new=javascript:alert(1)');
    expect(hostile.link.run.source).toEqual(DEFAULT_MODELS);
    expect(hostile.problems).toHaveLength(2);
  });

  test('holds only what differs from the defaults', () => {
    const link = bare('variance');
    expect(writeLink(link)).toBe('#/variance');
    expect(writeLink(link, { dated: true })).toBe('#/variance?v=3');
    const run = { ...DEFAULT_SETTINGS, source: { ...DEFAULT_POLICIES, alpha: 0.5 } };
    expect(writeLink({ ...link, run })).toBe('#/variance?v=3&alpha=0.5');
    expect(writeLink({ ...link, run: { backend: 'auto', source: DEFAULT_SYNTHETIC } })).toBe(
      '#/variance?v=3&source=synthetic',
    );
    expect(writeLink({ ...link, view: { ...link.view, axes: 'linear' }, embed: true })).toBe(
      '#/variance?v=3&axes=linear&embed=1',
    );
    const clipping = bare('clipping');
    expect(
      writeLink({ ...clipping, view: { ...clipping.view, objectives: ['gspo', 'rloo'] } }),
    ).toBe('#/clipping?v=3&objectives=gspo,rloo');
    expect(settingsToQuery(run)).toBe('?v=3&alpha=0.5');
    expect(settingsToQuery(DEFAULT_SETTINGS)).toBe('');
  });

  test.each([
    ['alpha=7', /alpha = "7"\. It may be a number from -1 to 2\. 1 is used/],
    ['alpha=half', /alpha = "half"/],
    ['prompts=1.5', /prompts.*a whole number from 1 to 4096\. 1024 is used/],
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
    const opened = openLink(`#/variance?v=3&alpha=9&prompts=7&bins=16&fp=${fp}`);
    expect(opened.link.run.source).toEqual({ ...DEFAULT_POLICIES, prompts: 7 });
    expect(opened.link.view['bins']).toBe(16);
    expect(opened.link.fingerprint).toBe(null);
    expect(opened.problems.join(' ')).toMatch(/belongs to other settings/);
  });

  test('of a newer lab opens as far as it is known, and what is left out is named', () => {
    const fp = writeLink(sampleLink()).split('fp=')[1];
    const { link, problems } = openLink(`#/variance?v=4&alpha=0.5&colour=red&bins=16&fp=${fp}`);
    expect(link.run.source).toEqual({ ...DEFAULT_POLICIES, alpha: 0.5 });
    expect(link.view['bins']).toBe(16);
    expect(link.fingerprint).toBe(null);
    const said = problems.join(' ');
    expect(said).toMatch(/version "4", made by a newer lab; this one reads versions up to 3/);
    expect(said).toMatch(/"colour" that this page does not know/);
    expect(said).toMatch(/fingerprint is not compared/);
  });

  test('longer than any that the lab writes is not read', () => {
    const { link, problems } = openLink(`#/variance?alpha=0.5&policy=${'a'.repeat(40_000)}`);
    expect(link).toEqual(bare('variance'));
    expect(problems.join(' ')).toMatch(/longer than 32768/);
  });

  test('to a page with nothing said shows what the page starts with, and the defaults of links are written', () => {
    const start = openLink('#/train').link;
    expect(trainingOf(start.view as PageSettings<'train'>)).toEqual(FIRST_LOOK);
    expect(writeLink(start)).toBe('#/train');
    expect(writeLink(start, { dated: true })).toMatch(/^#\/train\?v=3&race\.steps=12&/);
    const lesson = openLink('#/train?v=3').link;
    expect(trainingOf(lesson.view as PageSettings<'train'>)).toEqual(DEFAULT_TRAINING);
    expect(openLink(writeLink(lesson)).link).toEqual(lesson);
  });

  test('names a page that does not exist, and opens the first one', () => {
    const { link, problems } = openLink('#/constructor?v=3&alpha=0.5');
    expect(link.page).toBe(FIRST_PAGE);
    expect(problems[0]).toMatch(/no page "constructor"/);
    expect(openLink('').problems).toEqual([]);
  });

  test('a run larger than a tab can hold is refused, whoever asks', () => {
    const query = '#/variance?v=3&source=synthetic&prompts=100000&groupSize=1024&maxLength=4096';
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
  return link;
}

test('10,000 mutated links: settings always within the schema, no error, no prototype touched', () => {
  for (const mutated of mutatedLinks(10_000, 9)) {
    const { link, problems } = openLink(mutated);
    expect(parseRunSettings(link.run)).toEqual(link.run);
    expect(isPageId(link.page)).toBe(true);
    expect(v.is(PAGE_SETTINGS[link.page], link.view)).toBe(true);
    expect(Object.keys(link.view)).toEqual([...pageSettings(link.page).keys()]);
    for (const part of link.hide) expect(HIDEABLE).toContain(part);
    for (const problem of problems) expect(problem.length).toBeLessThan(800);
    // What was understood can be written and understood again.
    expect(openLink(writeLink(link))).toEqual({ link, problems: [] });
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['v']).toBeUndefined();
  expect(Object.getPrototypeOf(new Map())).toBe(Map.prototype);
});

describe('what pages ask the experiments with', () => {
  test.each(EXPERIMENT_IDS)('%s: always within the schema', (page) => {
    fc.assert(
      fc.property(viewOf(page), (view) => {
        const asked = experimentSettings(page, view);
        expect(v.is(EXPERIMENTS[page].schema, asked?.settings)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a race in a link', () => {
  test('has readable names, and none of them is that of a setting of the run', () => {
    const { link } = openLink('#/train?v=3');
    const view = { ...link.view, prompts: 4, temperature: 0.5 };
    const run = { ...DEFAULT_SETTINGS, source: { ...DEFAULT_POLICIES, prompts: 7 } };
    expect(writeLink({ ...link, run, view })).toBe(
      '#/train?v=3&prompts=7&race.prompts=4&race.temperature=0.5',
    );
    expect(trainingOf(pageDefaults('train'))).toEqual(DEFAULT_TRAINING);
  });

  test('that cannot be is refused with a sentence', () => {
    const { problems } = openLink('#/train?v=3&race.racers=gspo~1~2&race.steps=99999');
    expect(problems.join(' ')).toMatch(
      /race\.racers = "gspo~1~2"\. It may be 1 to 4 of OBJECTIVE~/,
    );
    expect(problems.join(' ')).toMatch(/steps = "99999".*a whole number from 1 to 2000/);
    const view = pageDefaults('train');
    expect(trainingOf({ ...view, minOperators: 5, maxOperators: 2 })).toMatch(/minOperators/);
    expect(trainingOf({ ...view, prompts: 1, groupSize: 2, minibatches: 16 })).toMatch(
      /16 minibatches/,
    );
  });
});

describe('what a page offers of a number', () => {
  const number = whole(1, 64, 10, { label: 'Length bins' });

  test('has the number’s own default and label', () => {
    const setting = settingsOf(v.strictObject({ bins: offered(number, [6, 10, 16]) })).get('bins');
    expect(setting).toMatchObject({ label: 'Length bins', fallback: 10, may: '6, 10 or 16' });
  });

  test('must hold the default, and nothing out of bounds', () => {
    expect(() => offered(number, [6, 16])).toThrow(RangeError);
    expect(() => offered(number, [10, 65])).toThrow(RangeError);
  });
});
