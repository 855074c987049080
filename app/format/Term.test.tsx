import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Term } from './Term';
import { TERM_LIST, TERMS } from './terms';

it('names its explanation, which waits until it is asked for', () => {
  const html = renderToStaticMarkup(<Term of="nat">nats</Term>);
  const id = /aria-describedby="([^"]+)"/.exec(html)?.[1];
  expect(html).toContain(`role="tooltip" id="${id}" hidden=""`);
  expect(html).toContain('1 nat is 1.44 bits');
  expect(html).toContain('>nats</button>');
});

it('the glossary has every word once, by name', () => {
  const names = TERM_LIST.map(({ name }) => name);
  expect(new Set(names).size).toBe(Object.keys(TERMS).length);
  expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b, 'en')));
});
