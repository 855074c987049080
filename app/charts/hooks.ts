/** What every chart needs: its width, whether anyone sees it, and axes that only ever widen. */
import { useEffect, useState, useSyncExternalStore, type RefObject } from 'react';
import { flushSync } from 'react-dom';
import { widen, type Domain } from './scale';

/** CSS pixels; 0 until measured. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.round(entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** Whether the element is in or near the viewport. */
export function useVisible(ref: RefObject<HTMLElement | null>): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry) setVisible(entry.isIntersecting);
      },
      { rootMargin: '120px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return visible;
}

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

/** The union of all domains seen under one key; a new key starts afresh. */
export function useStableDomain(now: Domain, key: string | number | null): Domain {
  const [kept, setKept] = useState<{ key: typeof key; domain: Domain }>({ key, domain: now });
  const domain = kept.key === key ? widen(kept.domain, now) : now;
  if (kept.key !== key || kept.domain[0] !== domain[0] || kept.domain[1] !== domain[1]) {
    setKept({ key, domain });
  }
  return domain;
}
