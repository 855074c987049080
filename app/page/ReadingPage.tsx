/**
 * A page to read: heading, one column, nothing of a run beside it. The run in view goes on; its bar and its setup are
 * on the pages that measure it.
 */
import type { ReactNode } from 'react';
import { PAGES, type PageId } from '../../src/experiments/manifest';
import './reading.css';
import { said } from '../language/i18n';

interface ReadingPageProps {
  page: PageId;
  lead: ReactNode;
  children: ReactNode;
}

export function ReadingPage({ page, lead, children }: ReadingPageProps) {
  return (
    <article className="reading-page">
      <header className="reading-head">
        <h1>{said(PAGES[page].question)}</h1>
        <div className="reading-lead">{lead}</div>
      </header>
      {children}
    </article>
  );
}
