/**
 * "Break it": controls that load rollouts under which a prediction must fail (or, as a control, must not) and run
 * them. Contract: stands with the figures, on a phone in view as long as they are; says which control the run in view
 * is of, where to see its effect, and what was promised beside what came out (`src/breaks`, held by a test); what the
 * person chose for the other source stays; nothing is loaded that the setup panel does not show.
 */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useEffect, useId, useRef, useState } from 'react';
import {
  BREAKS,
  fileOf,
  isKept,
  isOf,
  PROMISES,
  sourceOf,
  withSampler,
  type Break,
  type Sampler,
} from '../../src/breaks';
import type { ExperimentId } from '../../src/experiments/manifest';
import type { Claim } from '../../src/experiments/experiment';
import { message } from '../../src/message';
import { Prose } from '../format/Prose';
import { draftOf } from '../state/draft';
import { DEFAULT_IMPORT, fetchExample } from '../state/imports';
import { isLive, type Lab, type Run } from '../state/lab';
import { useLab, useLabState } from '../state/react';
import { VerdictChip } from './VerdictChip';
import './break-it.css';
import { figureId } from '../../src/link/link';
import { said } from '../language/i18n';

async function loadExample(lab: Lab, sampler: Sampler | null): Promise<void> {
  const blob = await fetchExample();
  const drawn = sampler === null ? blob : new Blob([withSampler(await blob.text(), sampler)]);
  await lab.importFiles([{ name: fileOf(sampler), blob: drawn }], DEFAULT_IMPORT);
}

async function load(lab: Lab, own: Break): Promise<void> {
  if (own.rollouts.kind === 'example') return loadExample(lab, own.rollouts.sampler);
  lab.edit((draft) => {
    const source = sourceOf(own, draft.policies);
    return source === null ? draft : draftOf({ backend: draft.backend, source }, draft);
  });
  await lab.start();
}

function isInView(own: Break, run: Run | null): boolean {
  if (run === null) return false;
  if (own.rollouts.kind !== 'example') {
    return run.settings !== null && isOf(own, run.settings.source);
  }
  const files = run.imported?.report.files.map(({ name }) => name) ?? run.reopened?.files ?? [];
  return files.length === 1 && files[0] === fileOf(own.rollouts.sampler);
}

export function BreakIt({ page }: { page: ExperimentId }) {
  const lab = useLab();
  const heading = useId();
  const says = useId();
  const { lead, breaks } = BREAKS[page];
  const active = useLabState(({ run }) => breaks.find((own) => isInView(own, run)));
  const ready = useLabState((state) => state.opening.status === 'open');
  const reading = useLabState((state) => state.reading !== null && state.reading.failure === null);
  const [pointed, setPointed] = useState<Break | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const shown = pointed ?? active;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    // On a phone the controls are a row that scrolls; the page itself stays where it is.
    const pressed = list.current?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (!list.current || !pressed) return;
    list.current.scrollLeft = pressed.offsetLeft - list.current.offsetLeft - 12;
  }, [active]);
  const press = (own: Break) => {
    setTrouble(null);
    load(lab, own).catch((error: unknown) => setTrouble(message(error)));
  };
  return (
    <>
      <section
        className="break-it"
        data-part="words"
        aria-labelledby={heading}
        data-testid="break-it"
      >
        <h2 id={heading}>{t`Break it`}</h2>
        <ul className="breaks" ref={list}>
          {breaks.map((own) => (
            <li key={own.title}>
              <button
                type="button"
                className="button"
                aria-pressed={own === active}
                aria-describedby={own === shown ? says : undefined}
                disabled={own.rollouts.kind === 'example' ? reading : !ready}
                onClick={() => press(own)}
                onPointerEnter={({ pointerType }) => {
                  // A finger presses; there is nothing to read before.
                  if (pointerType === 'mouse') setPointed(own);
                }}
                onPointerLeave={() => setPointed(null)}
                onFocus={() => setPointed(own)}
                onBlur={() => setPointed(null)}
              >
                {said(own.title)}
              </button>
            </li>
          ))}
        </ul>
      </section>
      <div className="break-says" data-part="words" id={says}>
        <p className="small" data-testid="break-why">
          <Prose>{shown === undefined ? said(lead) : `${said(shown.why)} `}</Prose>
          {shown !== undefined && <Watch heading={shown.watch} />}
        </p>
        {trouble !== null && (
          <p className="field-issue" role="alert">
            {trouble}
          </p>
        )}
        {active !== undefined && <Promises page={page} own={active} />}
      </div>
    </>
  );
}

/** Brings the figure into view that shows what a control does. */
function Watch({ heading }: { heading: string }) {
  const go = () => {
    const figure = document.querySelector(`.measurement [data-figure="${figureId(heading)}"]`);
    figure?.querySelector('h3')?.scrollIntoView({ block: 'center' });
  };
  return (
    <span className="only-live">
      {t`Watch`}{' '}
      <button type="button" className="link" onClick={go}>
        <Prose>{said(heading)}</Prose>
      </button>
      .
    </span>
  );
}

/** What the control promises of the page's claims, and what came out. */
function Promises({ page, own }: { page: ExperimentId; own: Break }) {
  const over = useLabState(({ run }) => run !== null && !isLive(run));
  const measurement = useLabState(({ run, measurements }) =>
    measurements[page]?.run === run?.id ? measurements[page] : undefined,
  );
  const claims: readonly Claim[] = measurement?.result.claims ?? [];
  const promised = Object.entries(own.promises).flatMap(([id, what]) => {
    const claim = claims.find((one) => one.id === id);
    return claim === undefined ? [] : [{ claim, what }];
  });
  if (Object.keys(own.promises).length === 0) {
    return (
      <p className="small muted">{t`Nobody knows beforehand what comes out: it is measured.`}</p>
    );
  }
  const off = promised.filter(({ claim, what }) => !isKept(what, claim.verdict));
  return (
    <>
      <ul className="break-promises" data-testid="promises">
        {promised.map(({ claim, what }) => (
          <li key={claim.id} data-claim={claim.id} data-promised={what}>
            <b>{said(PROMISES[what])}</b>
            <span>
              <Prose>{said(claim.claim)}</Prose>
            </span>
            <VerdictChip verdict={claim.verdict} />
          </li>
        ))}
      </ul>
      {over && off.length > 0 && (
        <p className="small">
          <Trans>
            Not all came out as promised; one run in twenty may. Another seed tells whether this is
            one of them.
          </Trans>
        </p>
      )}
    </>
  );
}
