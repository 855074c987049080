/** Values of a translated sentence are text: nothing of a person's file becomes an element, or is lost. */
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Trans } from './Trans';

const html = (values: Record<string, unknown>) =>
  renderToStaticMarkup(
    <Trans id="test" message="From <0>{0}</0>, {1}." values={values} components={{ 0: <b /> }} />,
  );

it('shows tags in a value as they are written', () => {
  expect(html({ 0: '<i>name</i>.jsonl', 1: '<0>x</0><script>1</script>' })).toBe(
    'From <b>&lt;i&gt;name&lt;/i&gt;.jsonl</b>, &lt;0&gt;x&lt;/0&gt;&lt;script&gt;1&lt;/script&gt;.',
  );
  expect(html({ 0: 'a < b', 1: 2 })).toBe('From <b>a &lt; b</b>, 2.');
});
