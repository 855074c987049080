/**
 * A typeset formula. Contract: KaTeX comes with the first formula, not with the page; room for it is
 * reserved, so that nothing moves when it arrives; a screen reader gets MathML.
 */
import { lazy, Suspense, useEffect, useRef, useState, type RefObject } from 'react';

const Typeset = lazy(() => import('./Typeset'));

interface FormulaProps {
  tex: string;
  block?: boolean;
  /** px kept free until it is typeset, and at least afterwards */
  height: number;
  label: string;
}

export function Formula({ tex, block = false, height, label }: FormulaProps) {
  const ref = useRef<HTMLDivElement>(null);
  const wide = useScrolls(ref);
  return (
    <div
      ref={ref}
      className={block ? 'formula formula-block' : 'formula'}
      style={{ minHeight: height }}
      // What has to be scrolled can be scrolled by keys.
      {...(wide ? { tabIndex: 0, role: 'group', 'aria-label': label } : {})}
    >
      <Suspense fallback={<span className="muted">{label}</span>}>
        <Typeset tex={tex} block={block} />
      </Suspense>
    </div>
  );
}

/** Whether the element holds more than it shows. */
function useScrolls(ref: RefObject<HTMLElement | null>): boolean {
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    // Looked at by the observer of sizes alone: it is told after layout, which asking at a change would force.
    const sized = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    const changed = new MutationObserver(() => {
      sized.unobserve(element);
      sized.observe(element);
    });
    sized.observe(element);
    changed.observe(element, { childList: true, subtree: true });
    return () => {
      sized.disconnect();
      changed.disconnect();
    };
  }, [ref]);
  return scrolls;
}
