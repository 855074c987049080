/** KaTeX and its fonts; loaded by `Formula` only. */
import katex from 'katex';
import 'katex/dist/katex.min.css';
import { useMemo } from 'react';

export default function Typeset({ tex, block }: { tex: string; block: boolean }) {
  const html = useMemo(
    () =>
      katex.renderToString(tex, {
        displayMode: block,
        throwOnError: false,
        // Our own strings only; `\htmlClass` carries the forms' colours.
        trust: ({ command }) => command === '\\htmlClass',
        strict: false,
      }),
    [tex, block],
  );
  return <span dangerouslySetInnerHTML={{ __html: html }} />;
}
