/**
 * A figure on the page as an SVG of its own: what the browser has laid out, with every colour, dash and
 * font resolved, title above, caption and stamp below. Contract: needs nothing beside the file (no style
 * sheet, no script, no address that is loaded); what a person cannot see is left out; the page is not
 * changed.
 */
import type { Stamp } from '../../src/export/stamp';
import { stampLines } from '../../src/export/stamp';
import { copySvg, isClear, SVG } from './svg-copy';
import { fontOf, lineBreaks, measure, textRuns, type Font } from './text-runs';

export interface Picture {
  svg: string;
  /** CSS pixels */
  width: number;
  height: number;
}

export interface PictureWords {
  title: string;
  caption: string;
  stamp: Stamp;
}

const PAD = 16;
const GAP = 10;

/** @param body the part of the page that is the picture; it has to be laid out */
export function pictureOf(body: HTMLElement, { title, caption, stamp }: PictureWords): Picture {
  const page = getComputedStyle(body);
  const ink = page.color;
  const { family } = fontOf(page);
  const box = body.getBoundingClientRect();
  const width = Math.ceil(box.width);
  const root = document.createElementNS(SVG, 'svg');
  const heading: Font = { size: 15, weight: '600', style: 'normal', family };
  const small: Font = { size: 12, weight: '400', style: 'normal', family };
  const tiny: Font = { size: 9, weight: '400', style: 'normal', family };

  let y = PAD;
  const write = (text: string, font: Font, opacity: string) => {
    for (const line of lineBreaks(text, font, width)) {
      y += font.size;
      root.append(textElement(line, { x: PAD, y, font, fill: ink, opacity }));
      y += font.size * 0.4;
    }
  };
  write(title, heading, '1');
  y += GAP / 2;
  const drawing = root.appendChild(document.createElementNS(SVG, 'g'));
  drawing.setAttribute('transform', `translate(${PAD},${y})`);
  drawBody(body, drawing, box);
  y += Math.ceil(box.height) + GAP;
  write(caption, small, '0.85');
  y += GAP / 2;
  for (const line of stampLines(stamp)) write(line, tiny, '0.7');

  const whole = { width: width + 2 * PAD, height: Math.ceil(y + PAD / 2) };
  frame(root, whole, surfaceBehind(body));
  describe(root, title, caption, stamp);
  return { svg: new XMLSerializer().serializeToString(root), ...whole };
}

/** The first opaque colour behind an element. */
function surfaceBehind(element: Element | null): string {
  for (let at = element; at !== null; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (!isClear(backgroundColor)) return backgroundColor;
  }
  return 'white';
}

function frame(root: SVGSVGElement, { width, height }: Omit<Picture, 'svg'>, fill: string): void {
  root.setAttribute('width', String(width));
  root.setAttribute('height', String(height));
  root.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const background = document.createElementNS(SVG, 'rect');
  background.setAttribute('width', String(width));
  background.setAttribute('height', String(height));
  background.setAttribute('fill', fill);
  root.prepend(background);
}

/** For screen readers, and for programs: the stamp as JSON. */
function describe(root: SVGSVGElement, title: string, caption: string, stamp: Stamp): void {
  const add = (name: string, text: string) => {
    const element = document.createElementNS(SVG, name);
    element.textContent = text;
    return element;
  };
  root.prepend(
    add('title', title),
    add('desc', caption),
    add('metadata', JSON.stringify({ gspoLab: stamp })),
  );
}

interface Placed {
  x: number;
  y: number;
  font: Font;
  fill: string;
  opacity?: string;
  /** Fonts differ from machine to machine; such words keep the room that they had here. */
  keepsRoom?: boolean;
}

function textElement(text: string, { x, y, font, fill, opacity = '1', keepsRoom }: Placed) {
  const element = document.createElementNS(SVG, 'text');
  const { size, weight, style, family } = font;
  const attributes = { x, y, fill, 'font-size': size, 'font-family': family };
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (weight !== '400') element.setAttribute('font-weight', weight);
  if (style !== 'normal') element.setAttribute('font-style', style);
  if (opacity !== '1') element.setAttribute('opacity', opacity);
  if (keepsRoom === true) {
    element.setAttribute('textLength', measure(text, font).toFixed(1));
    element.setAttribute('lengthAdjust', 'spacingAndGlyphs');
  }
  element.textContent = text;
  return element;
}

/** HTML boxes, texts, canvases and SVGs, in the order in which they are painted. */
function drawBody(element: Element, into: SVGGElement, origin: DOMRect): void {
  // What is being read is not part of the picture.
  if (element.matches('.recharts-tooltip-wrapper, .plot-hit, .visually-hidden')) return;
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  const box = element.getBoundingClientRect();
  const at = { x: box.left - origin.left, y: box.top - origin.top };
  if (element instanceof SVGSVGElement) {
    into.append(copySvg(element, at));
    return;
  }
  if (element instanceof HTMLCanvasElement) {
    if (box.width > 0 && element.width > 0) into.append(imageOf(element, at, box));
    return;
  }
  drawBox(style, at, box, into);
  for (const child of element.childNodes) {
    if (child instanceof Element) drawBody(child, into, origin);
    else if (child instanceof Text) {
      for (const { text, ...place } of textRuns(child, origin)) {
        into.append(textElement(text, { ...place, keepsRoom: true }));
      }
    }
  }
}

function imageOf(canvas: HTMLCanvasElement, { x, y }: { x: number; y: number }, box: DOMRect) {
  const image = document.createElementNS(SVG, 'image');
  const attributes = { x, y, width: box.width, height: box.height, href: canvas.toDataURL() };
  for (const [name, value] of Object.entries(attributes)) image.setAttribute(name, String(value));
  return image;
}

function drawBox(
  style: CSSStyleDeclaration,
  { x, y }: { x: number; y: number },
  { width, height }: DOMRect,
  into: SVGGElement,
): void {
  const line = style.borderTopStyle === 'none' ? 0 : Number.parseFloat(style.borderTopWidth);
  const filled = !isClear(style.backgroundColor);
  if (!filled && line === 0) return;
  const rect = document.createElementNS(SVG, 'rect');
  const attributes = {
    x: x + line / 2,
    y: y + line / 2,
    width: Math.max(0, width - line),
    height: Math.max(0, height - line),
    rx: Number.parseFloat(style.borderTopLeftRadius) || 0,
    fill: filled ? style.backgroundColor : 'none',
  };
  for (const [name, value] of Object.entries(attributes)) rect.setAttribute(name, String(value));
  if (line > 0) {
    rect.setAttribute('stroke', style.borderTopColor);
    rect.setAttribute('stroke-width', String(line));
    if (style.borderTopStyle === 'dashed') rect.setAttribute('stroke-dasharray', '4 3');
  }
  into.append(rect);
}

/** @param scale pixels of the image per CSS pixel */
export async function pngOf({ svg, width, height }: Picture, scale = 2): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser gives no canvas to draw the picture on.');
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error('This browser could not make a PNG of the picture.'));
      else resolve(blob);
    }, 'image/png');
  });
}
