/**
 * A word that explains itself: under the pointer, with the keyboard's focus, at a touch. Contract: it reads like the
 * text around it; Escape closes it, and it never reaches over the edge of the window.
 */
import { useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { Prose } from './Prose';
import { TERMS, type TermId } from './terms';
import './term.css';

/** px between the explanation and the window's edge */
const EDGE = 8;

export function Term({ of, children }: { of: TermId; children: ReactNode }) {
  const { name, words } = TERMS[of];
  const [open, setOpen] = useState(false);
  const [shift, setShift] = useState(0);
  const tip = useRef<HTMLSpanElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    if (!open || tip.current === null) return;
    const { left, right } = tip.current.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const over = Math.max(0, right - (width - EDGE));
    setShift(-Math.min(over, Math.max(0, left - EDGE)));
    return () => setShift(0);
  }, [open]);
  return (
    <span
      className="term"
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') setOpen(true);
      }}
      onPointerLeave={(event) => {
        if (event.pointerType === 'mouse') setOpen(false);
      }}
    >
      <button
        type="button"
        className="term-word"
        aria-describedby={id}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setOpen(false);
        }}
      >
        {children}
      </button>
      <span
        className="term-tip"
        role="tooltip"
        id={id}
        ref={tip}
        hidden={!open}
        style={{ translate: `${shift}px 0` }}
      >
        <b>
          <Prose>{name}</Prose>
        </b>{' '}
        <Prose>{words}</Prose>
      </span>
    </span>
  );
}
