/**
 * Page `data`: a person's own rollouts. Drop or pick files or a folder; they are read in the worker, and
 * then every experiment works on them. Nothing leaves the machine.
 */
import '../../charts/practice.css';
import { useLabState } from '../../state/react';
import { Term } from '../../format/Term';
import { ExperimentPage } from '../../page/ExperimentPage';
import './data.css';
import { DropZone } from './DropZone';
import { Health } from './Health';
import { ReadingStatus } from './ReadingStatus';
import { Report } from './Report';
import { Words } from './Words';

export default function Data() {
  const imported = useLabState((state) => state.run?.imported ?? null);
  return (
    <ExperimentPage
      page="data"
      lead={
        <>
          Drop the token <Term of="logProb">log-probs</Term> of your <Term of="grpo">GRPO</Term> or{' '}
          <Term of="gspo">GSPO</Term> run. <b>Nothing leaves your machine</b>: the file is read in
          this tab, by this page, and is gone when you close it.
        </>
      }
      verdict={null}
      figures={
        <>
          <DropZone />
          <ReadingStatus />
          {imported !== null ? (
            <>
              <Health report={imported.report} />
              <Report imported={imported} />
            </>
          ) : (
            <Nothing />
          )}
        </>
      }
      words={<Words />}
    />
  );
}

/** Keeps the report's place. */
function Nothing() {
  return (
    <div className="empty-figures data-empty" data-testid="empty">
      <p>
        A health report comes here first: what stands out in the data, each finding with the figure
        behind it. Then every experiment works on your data.
      </p>
    </div>
  );
}
