/**
 * A typeset formula. Contract: KaTeX comes with the first formula, not with the page; room for it is
 * reserved, so that nothing moves when it arrives; a screen reader gets MathML.
 */
import { lazy, Suspense } from 'react';

const Typeset = lazy(() => import('./Typeset'));

interface FormulaProps {
  tex: string;
  block?: boolean;
  /** px kept free until it is typeset, and at least afterwards */
  height: number;
  label: string;
}

export function Formula({ tex, block = false, height, label }: FormulaProps) {
  return (
    <div className={block ? 'formula formula-block' : 'formula'} style={{ minHeight: height }}>
      <Suspense fallback={<span className="muted">{label}</span>}>
        <Typeset tex={tex} block={block} />
      </Suspense>
    </div>
  );
}
