/**
 * Numbers as a person reads them, in the page's language. Contract: a number shows as many digits as it has (float32
 * results seven significant ones, deviations two), minus signs are real ones, and what is not a number says so. Files are
 * written with points (`inEnglish`). Without macros: commands in Node use it too.
 */
import { i18n, said } from '../language/i18n';
import type { Estimate } from '../../src/math/stats/intervals';

const SUPERSCRIPT: Record<string, string> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

export function superscript(exponent: number): string {
  return [...String(exponent)].map((c) => SUPERSCRIPT[c] ?? c).join('');
}

/** The decimal mark of the page's language in place of the point. */
export function decimal(text: string): string {
  return i18n.locale === 'en' ? text : text.replace('.', numberFormat().mark);
}

interface NumberWriter {
  format: Intl.NumberFormat;
  mark: string;
}
const writers = new Map<string, NumberWriter>();

function numberFormat(): NumberWriter {
  const { locale } = i18n;
  let writer = writers.get(locale);
  if (writer === undefined) {
    const format = new Intl.NumberFormat(locale === 'en' ? 'en-US' : locale);
    const mark = format.formatToParts(0.5).find(({ type }) => type === 'decimal')?.value ?? '.';
    writers.set(locale, (writer = { format, mark }));
  }
  return writer;
}

/** "not a number" and infinities in words short enough for a table cell. */
function notFinite(x: number): string {
  if (Number.isNaN(x)) return said('not a number');
  return x > 0 ? '∞' : '−∞';
}

/** Power-of-ten notation outside 1e-4 .. 1e7; trailing zeros stay, for they are digits too. */
export function significant(x: number, digits: number): string {
  if (!Number.isFinite(x)) return notFinite(x);
  if (x === 0) return '0';
  const [mantissa, exponent] = Math.abs(x)
    .toExponential(digits - 1)
    .split('e');
  const power = Number(exponent);
  const sign = x < 0 ? '−' : '';
  if (power < -4 || power >= Math.max(7, digits)) {
    return `${sign}${decimal(mantissa ?? '')} × 10${superscript(power)}`;
  }
  return sign + decimal(Math.abs(x).toFixed(Math.max(0, digits - 1 - power)));
}

/** Beyond so many digits two numbers that read alike are left so. */
const MOST_APART = 7;

/**
 * As many digits as it takes that no two of the numbers that differ read alike: an interval's end beside a margin's
 * edge decides a verdict, and a reader must see it.
 * @param digits at least
 */
export function digitsApart(values: readonly number[], digits = 3): number {
  const different = [...new Set(values)];
  while (digits < MOST_APART) {
    const shown = new Set(different.map((x) => significant(x, digits)));
    if (shown.size === different.length) break;
    digits++;
  }
  return digits;
}

/** "550 times", "1.9 times": how many times as much, from its logarithm to base 10. */
export function timesAsMuch(log10: number): string {
  const times = 10 ** log10;
  const shown =
    times >= 10 && times < 1e7 ? count(Number(times.toPrecision(2))) : significant(times, 2);
  return said('{times} times').replace('{times}', shown);
}

/** What a float32 holds: seven significant digits. */
export function single(x: number): string {
  return significant(x, 7);
}

/** Fixed decimals with a real minus; for columns that should line up. */
export function fixed(x: number, decimals: number): string {
  if (!Number.isFinite(x)) return notFinite(x);
  const text = Math.abs(x).toFixed(decimals);
  return (x < 0 && Number(text) !== 0 ? '−' : '') + decimal(text);
}

/** With its sign always: changes and log-ratios. */
export function signed(x: number, decimals: number): string {
  const text = fixed(x, decimals);
  return Number.isFinite(x) && Number(x.toFixed(decimals)) > 0 ? `+${text}` : text;
}

export function count(n: number): string {
  return numberFormat().format.format(n);
}

/** "1 sequence", "1,024 sequences" */
export function counted(n: number, singular: string, plural = `${singular}s`): string {
  return `${count(n)} ${n === 1 ? singular : plural}`;
}

export function percent(share: number, decimals = 1): string {
  return Number.isFinite(share) ? `${fixed(share * 100, decimals)} %` : notFinite(share);
}

/** Whole seconds below a minute, then minutes and seconds, then hours and minutes. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return said('unknown');
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function bytes(n: number): string {
  if (n < 1e3) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(0)} kB`;
  return `${decimal((n / 1e6).toFixed(1))} MB`;
}

/** TeX sets a space behind a bare comma. */
const texDecimal = (text: string) => decimal(text).replace(',', '{,}');

/** Plain TeX number, for formulas: `1.0431`, `-2.1 \times 10^{-7}`. */
export function texNumber(x: number, digits: number): string {
  if (Number.isNaN(x)) return String.raw`\text{${said('not a number')}}`;
  if (!Number.isFinite(x)) return x > 0 ? String.raw`\infty` : String.raw`-\infty`;
  if (x === 0) return '0';
  const [mantissa, exponent] = x.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  if (power < -3 || power > 5)
    return String.raw`${texDecimal(mantissa ?? '')} \times 10^{${power}}`;
  return texDecimal(x.toFixed(Math.max(0, digits - 1 - power)));
}

/** Both ends in brackets; a semicolon between them where a comma is the decimal mark. */
export function between(low: string, high: string): string {
  return `[${low}${i18n.locale === 'en' ? ',' : ';'} ${high}]`;
}

export function interval(ends: readonly [number, number] | null, digits = 3): string {
  if (ends === null) return said('none yet');
  return between(significant(ends[0], digits), significant(ends[1], digits));
}

export function estimate(value: Estimate | null, digits = 3): string {
  if (value === null) return said('not defined here');
  const { interval: ends } = value;
  return `${significant(value.estimate, digits)}${ends === null ? '' : ` ${interval(ends, digits)}`}`;
}
