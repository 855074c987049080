/**
 * Manners of a drawer: takes the focus when it opens and gives it back, keeps it when what had it goes (a response that
 * was chosen from the list, a run that was deleted), Esc closes it.
 */
import { useEffect, type RefObject } from 'react';

export function useDrawer(ref: RefObject<HTMLElement | null>, close: () => void): void {
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.focus();
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) close();
    };
    addEventListener('keydown', onKey);
    const changed = new MutationObserver(() => {
      if (document.activeElement === document.body) ref.current?.focus();
    });
    if (ref.current) changed.observe(ref.current, { childList: true, subtree: true });
    return () => {
      changed.disconnect();
      removeEventListener('keydown', onKey);
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
    };
    // The drawer's own life, not that of a closure.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
}
