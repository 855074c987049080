/** Text as the browser has laid it out: one run per line, with its font and baseline. */

export interface Font {
  /** px */
  size: number;
  weight: string;
  style: string;
  family: string;
}

export interface TextRun {
  text: string;
  /** px from the origin: left end, and baseline */
  x: number;
  y: number;
  font: Font;
  fill: string;
}

export function fontOf(style: CSSStyleDeclaration): Font {
  return {
    size: Number.parseFloat(style.fontSize),
    weight: style.fontWeight,
    style: style.fontStyle,
    family: style.fontFamily,
  };
}

let context: CanvasRenderingContext2D | null = null;

function metrics(text: string, { size, weight, style, family }: Font): TextMetrics {
  context ??= document.createElement('canvas').getContext('2d');
  if (context === null) throw new Error('This browser gives no canvas to measure text with.');
  context.font = `${style} ${weight} ${size}px ${family}`;
  return context.measureText(text);
}

/** px */
export const measure = (text: string, font: Font) => metrics(text, font).width;

/** Lines no wider than `width`; a word that is wider is cut, as links are. */
export function lineBreaks(text: string, font: Font, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (measure(longer, font) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (measure(line, font) > width && line.length > 1) {
      let end = line.length - 1;
      while (end > 1 && measure(line.slice(0, end), font) > width) end--;
      lines.push(line.slice(0, end));
      line = line.slice(end);
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** @param origin what places are counted from */
export function textRuns(node: Text, origin: DOMRect): TextRun[] {
  const parent = node.parentElement;
  if (parent === null || node.data.trim() === '') return [];
  const style = getComputedStyle(parent);
  const font = fontOf(style);
  const runs: TextRun[] = [];
  let top = Number.NaN;
  for (const match of node.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && Math.abs(box.top - top) < 2) {
      last.text += ` ${match[0]}`;
      continue;
    }
    top = box.top;
    const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = metrics('x', font);
    const baseline = box.top + (box.height - ascent - descent) / 2 + ascent;
    const place = { x: box.left - origin.left, y: baseline - origin.top };
    runs.push({ text: match[0], ...place, font, fill: style.color });
  }
  return runs;
}
