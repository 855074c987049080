/** What every chart needs: its width, whether anyone sees it, and axes that only ever widen. */
import {
  createContext,
  use,
  useLayoutEffect,
  useState,
  useSyncExternalStore,
  type RefObject,
} from 'react';
import { flushSync } from 'react-dom';
import { widen, type Domain } from './scale';
import { inTurn } from './turns';

/** CSS pixels; 0 until measured. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    // At once, so that the first picture is not a frame late.
    setWidth(Math.round(element.getBoundingClientRect().width));
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.round(entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** px around the viewport that count as in it */
const NEAR = 120;

/** Whether the element is in or near the viewport. */
export function useVisible(ref: RefObject<HTMLElement | null>): boolean {
  const [visible, setVisible] = useState(false);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    // At once, so that what is in view is in the first picture of the page.
    const { top, bottom } = element.getBoundingClientRect();
    setVisible(bottom > -NEAR && top < innerHeight + NEAR);
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry) setVisible(entry.isIntersecting);
      },
      { rootMargin: `${NEAR}px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return visible;
}

/** Whether pictures are drawn here; a figure that nobody has seen yet only keeps their room. */
export const DrawnContext = createContext(true);

let printing = false;

function subscribePrinting(changed: () => void): () => void {
  const turn = (to: boolean) => () => {
    printing = to;
    // The page is printed as soon as the listeners have returned.
    flushSync(changed);
  };
  const [begin, end] = [turn(true), turn(false)];
  addEventListener('beforeprint', begin);
  addEventListener('afterprint', end);
  return () => {
    removeEventListener('beforeprint', begin);
    removeEventListener('afterprint', end);
  };
}

/** Whether the page is being printed. */
export function usePrinting(): boolean {
  return useSyncExternalStore(subscribePrinting, () => printing);
}

/** Whether a picture is drawn: from its turn on, or once the page is printed. */
export function useDrawn(): boolean {
  const wanted = use(DrawnContext);
  const printing = usePrinting();
  const [drawn, setDrawn] = useState(false);
  if (printing && !drawn) setDrawn(true);
  useLayoutEffect(() => {
    if (wanted && !drawn) return inTurn(() => setDrawn(true));
  }, [wanted, drawn]);
  return drawn;
}

/** The union of all domains seen under one key; a new key starts afresh. */
export function useStableDomain(now: Domain, key: string | number | null): Domain {
  const [kept, setKept] = useState<{ key: typeof key; domain: Domain }>({ key, domain: now });
  const domain = kept.key === key ? widen(kept.domain, now) : now;
  if (kept.key !== key || kept.domain[0] !== domain[0] || kept.domain[1] !== domain[1]) {
    setKept({ key, domain });
  }
  return domain;
}
