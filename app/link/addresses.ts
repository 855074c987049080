/** Whole addresses, for other people and other pages. */
import { writeLink, type Link } from '../../src/link/link';

/** @param page the lab's own address, anything behind `#` or `?` left out */
export function fullAddress(link: Link, page: string = location.href): string {
  return page.replace(/[?#].*$/s, '') + writeLink(link, { dated: true });
}

/** An iframe, as a person pastes it into a page. */
export function embedSnippet(address: string, title: string): string {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return [
    `<iframe src="${escaped(address)}"`,
    `  title="${escaped(title)}" width="640" height="480" loading="lazy"`,
    '  allow="fullscreen" style="border: 1px solid #ccc; max-width: 100%">',
    '</iframe>',
  ].join('\n');
}
