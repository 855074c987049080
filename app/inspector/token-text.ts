/**
 * Texts of tokens as people read them. Contract: what cannot be seen is seen, what would turn the page's own text round
 * is named instead of obeyed; the text stays a text.
 */

/** Marks for what is drawn as nothing. */
const MARKS: Record<string, string> = {
  ' ': '␣',
  '\u00a0': '⍽',
  '\n': '⏎',
  '\r': '␍',
  '\t': '⇥',
};

/**
 * Controls, line separators, marks of direction, and spaces of no width. Joiners stay: scripts and emoji are drawn with
 * them.
 */
const UNSEEN =
  /[\p{Cc}\u2028\u2029\u00ad\u061c\u200b\u200e\u200f\u2060\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** What a token looks like: ∅ where another token has its letter, <U+202E> for what has no look. */
export function shown(text: string): string {
  if (text === '') return '∅';
  const seen = text
    .replace(/[ \u00a0\n\r\t]/g, (space) => MARKS[space] ?? space)
    .replace(
      UNSEEN,
      (control) => `<U+${control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`,
    );
  // An accent alone would stand on the token before it.
  return /^\p{M}/u.test(seen) ? `◌${seen}` : seen;
}

/** Scripts that are written from the right to the left. */
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

/** By its first letter; what has none is written as the page is. */
export function directionOf(text: string): 'ltr' | 'rtl' {
  const [letter = ''] = /\p{L}/u.exec(text) ?? [];
  return RIGHT_TO_LEFT.test(letter) ? 'rtl' : 'ltr';
}
