/**
 * A copy of an SVG on the page whose look no longer depends on the page: presentation attributes instead of
 * classes and custom properties. Contract: what is invisible (pointer targets) is left out, and so is all
 * that only a live page needs; the original is not changed.
 */
export const SVG = 'http://www.w3.org/2000/svg';

/** Properties that a drawn element may have, and what they are where nothing is said. */
const SHAPE: Record<string, string> = {
  fill: 'rgb(0, 0, 0)',
  'fill-opacity': '1',
  stroke: 'none',
  'stroke-width': '1px',
  'stroke-dasharray': 'none',
  'stroke-dashoffset': '0px',
  'stroke-linejoin': 'miter',
  'stroke-linecap': 'butt',
  'stroke-opacity': '1',
  'paint-order': 'normal',
  'shape-rendering': 'auto',
};
const TEXT: Record<string, string> = {
  'font-family': '',
  'font-size': '',
  'font-weight': '400',
  'font-style': 'normal',
  'text-anchor': 'start',
};

const DRAWN = new Set(['path', 'line', 'rect', 'circle', 'ellipse', 'polyline', 'polygon']);
const TEXTS = new Set(['text', 'tspan']);
const GEOMETRY =
  /^(x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|d|dx|dy|width|height|points|transform|id|clip-path|pattern\w+|clipPathUnits|viewBox)$/;

/** `url("https://page/#hatch")` and its like: only the part that is in the file. */
const local = (value: string) => value.replace(/url\("?[^#")]*#([^")]+)"?\)/, 'url(#$1)');

/** Whether a computed colour lets everything through. */
export const isClear = (colour: string) =>
  colour === 'transparent' || /^rgba\(.*,\s*0\)$|\/\s*0\)$/.test(colour);

const seen = (paint: string) => paint !== 'none' && !isClear(paint);

/** @param at where it stands in the picture */
export function copySvg(source: SVGSVGElement, at: { x: number; y: number }): SVGGElement {
  const group = document.createElementNS(SVG, 'g');
  group.setAttribute('transform', `translate(${at.x},${at.y})`);
  const { opacity } = getComputedStyle(source);
  if (opacity !== '1') group.setAttribute('opacity', opacity);
  for (const child of source.children) {
    const copy = copyOf(child, false);
    if (copy !== null) group.append(copy);
  }
  return group;
}

function copyOf(source: Element, defining: boolean): Element | null {
  // What is being read is not part of the picture.
  if (source.classList.contains('plot-cursor')) return null;
  const name = source.localName;
  if (name === 'title' || name === 'desc') return null;
  const style = getComputedStyle(source);
  // Definitions are never laid out.
  if (!defining && (style.display === 'none' || style.visibility === 'hidden')) return null;
  if (DRAWN.has(name) && !defining && !seen(style.fill) && !seen(style.stroke)) return null;
  const copy = document.createElementNS(SVG, name);
  for (const { name: attribute, value } of source.attributes) {
    if (!GEOMETRY.test(attribute)) continue;
    // A style sheet may have lifted the clipping.
    if (attribute === 'clip-path' && style.clipPath === 'none') continue;
    copy.setAttribute(attribute, local(value));
  }
  // Opacity is of the element alone; all else would be handed down.
  if (style.opacity !== '1') copy.setAttribute('opacity', style.opacity);
  if (DRAWN.has(name)) setLook(copy, style, SHAPE);
  if (TEXTS.has(name)) {
    setLook(copy, style, SHAPE);
    setLook(copy, style, TEXT);
  }
  const within = defining || name === 'defs' || name === 'clipPath' || name === 'pattern';
  for (const child of source.childNodes) {
    if (child instanceof Text) copy.append(child.data);
    else if (child instanceof Element) {
      const inner = copyOf(child, within);
      if (inner !== null) copy.append(inner);
    }
  }
  const empty = name === 'g' && copy.childNodes.length === 0;
  return empty ? null : copy;
}

function setLook(copy: Element, style: CSSStyleDeclaration, usual: Record<string, string>): void {
  const nested = copy.localName === 'tspan';
  for (const [property, silent] of Object.entries(usual)) {
    const value = style.getPropertyValue(property);
    // A part of a text takes what its text has, so it says everything.
    if (!nested && value === silent) continue;
    copy.setAttribute(property, seen(value) ? local(value) : 'none');
  }
}
