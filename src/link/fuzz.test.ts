import * as v from 'valibot';
import { expect, test } from 'vitest';
import { HIDEABLE, openLink, writeLink } from './hash';
import { mutatedLinks } from './mutations';
import { fieldsOf, isPageId } from './pages';
import { parseRunSettings } from './settings';

test('10,000 mutated links: settings always within the schema, no error, no prototype touched', () => {
  for (const mutated of mutatedLinks(10_000, 9)) {
    const { link, problems } = openLink(mutated);
    expect(parseRunSettings(link.run)).toEqual(link.run);
    expect(isPageId(link.page)).toBe(true);
    for (const [name, field] of fieldsOf(link.page)) {
      expect(v.is(field.schema, link.view[name])).toBe(true);
    }
    expect(Object.keys(link.view)).toEqual([...fieldsOf(link.page).keys()]);
    for (const part of link.hide) expect(HIDEABLE).toContain(part);
    for (const problem of problems) expect(problem.length).toBeLessThan(600);
    // What was understood can be written and understood again.
    expect(openLink(writeLink(link))).toEqual({ link, problems: [] });
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['v']).toBeUndefined();
  expect(Object.getPrototypeOf(new Map())).toBe(Map.prototype);
});
