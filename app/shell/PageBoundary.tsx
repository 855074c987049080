/**
 * What stands in a page's place when it fails to load or to draw: what happened, and a press to try again. Contract:
 * header, run bar, setup and everything computed stay; where the site has been renewed under an open tab, the tab
 * loads it anew, by itself if nothing would be lost.
 */
import { t } from '@lingui/core/macro';
import { Component, useEffect, useState, type ReactNode } from 'react';
import { message } from '../../src/message';
import { useLabState } from '../state/react';

interface BoundaryProps {
  /** another page, or another attempt, starts without an error */
  of: string;
  onRetry: () => void;
  children: ReactNode;
}

interface BoundaryState {
  error: unknown;
  of: string;
}

export class PageBoundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { error: null, of: this.props.of };

  static getDerivedStateFromError(error: unknown): Partial<BoundaryState> {
    return { error };
  }

  static getDerivedStateFromProps({ of }: BoundaryProps, state: BoundaryState) {
    return state.of === of ? null : { error: null, of };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return <PageFailed why={message(error)} onRetry={this.props.onRetry} />;
  }
}

function PageFailed({ why, onRetry }: { why: string; onRetry: () => void }) {
  // A finished run that is kept comes back after a reload; a file that was opened, or a run under way, does not.
  const safe = useLabState(
    ({ run }) =>
      run === null || (run.progress.phase === 'finished' && run.keeping?.status === 'kept'),
  );
  const [renewed, setRenewed] = useState(false);
  useEffect(() => {
    void siteRenewed().then(setRenewed);
  }, []);
  useEffect(() => {
    if (renewed && safe) location.reload();
  }, [renewed, safe]);
  return (
    <section className="page page-failed" role="alert" data-testid="page-failed">
      <h1>{t`This page could not be shown`}</h1>
      <p>
        {renewed
          ? t`The site has been renewed since this tab was opened, and the part that is missing here has another name now. Loading the tab again brings it; a run that is not kept is lost by that.`
          : t`A part of the site did not load, or failed while it was drawn. Run, data and settings are all still there.`}
      </p>
      {!renewed && <p className="muted">{why}</p>}
      <p>
        <button type="button" className="button button-main" onClick={onRetry}>
          {t`Try again`}
        </button>{' '}
        <button type="button" className="button" onClick={() => location.reload()}>
          {t`Load the tab again`}
        </button>
      </p>
    </section>
  );
}

/** Whether the site's start page names another script than the one that this tab runs; false where offline. */
async function siteRenewed(): Promise<boolean> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  if (own === null) return false;
  try {
    const answer = await fetch(new URL('./', location.href.split('#')[0]), { cache: 'no-store' });
    if (!answer.ok) return false;
    const name = own.src.slice(own.src.lastIndexOf('/') + 1);
    return !(await answer.text()).includes(name);
  } catch {
    return false;
  }
}
