/**
 * The link's fingerprint beside the run that repeats it. Contract: compared with the choices that the link
 * was opened with, whatever is chosen now; keeps its place while the run is live.
 */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { sameRun } from '../../src/link/link';
import {
  compareFingerprints,
  figureWords,
  tokenWords,
  type Comparison as Compared,
  type FigureComparison,
} from '../../src/link/fingerprint';
import { significant } from '../format/numbers';
import { Prose } from '../format/Prose';
import type { OpenedFingerprint } from '../state/address';
import { useAddress } from '../state/address-react';
import { readDraft } from '../state/draft';
import { useLabState } from '../state/react';
import { useFingerprint, type Fingerprinting, type Missing } from './use-fingerprint';

const before = (): Record<Missing, string> => ({
  'no run': t`Press Start to repeat it.`,
  files: t`Your own files are in view; press Start to repeat the link’s run.`,
  'other settings': t`The run in view has other settings, so it is not compared.`,
  unfinished: t`It is compared when the run has come as far here.`,
});

function waitingWords(found: Fingerprinting): string {
  if (found.status === 'none') return before()[found.why];
  return found.status === 'refused' ? found.message : t`Comparing…`;
}

export function Comparison({ opened }: { opened: OpenedFingerprint }) {
  const address = useAddress();
  const { fingerprint, run, page, view } = opened;
  const found = useFingerprint(run, page, view, fingerprint.sequences);
  const same = useLabState(({ draft }) => {
    const { settings } = readDraft(draft);
    return settings !== null && sameRun(settings, run);
  });
  const compared =
    found.status === 'here'
      ? compareFingerprints(fingerprint, found.value.fingerprint, found.value.figures)
      : null;
  const tone = compared === null ? '' : compared.same ? 'banner-good' : 'banner-bad';
  return (
    <section
      className={`banner comparison ${tone}`}
      aria-label={t`Comparison with the link`}
      data-testid="comparison"
    >
      <div role="status">
        {compared !== null ? (
          <p>
            <b>
              {compared.same ? t`✓ The same as in the link.` : t`✕ Not the same as in the link.`}
            </b>{' '}
            {tokenWords(compared)} {figureWords(compared)}
            {!same && t` The setup has been changed since; a run of it is another.`}
          </p>
        ) : (
          <p>
            <Trans>
              <b>This link says what was found</b> in{' '}
              {plural(fingerprint.sequences, { one: '# response', other: '# responses' })}.{' '}
              {waitingWords(found)}
            </Trans>
          </p>
        )}
      </div>
      <button type="button" className="button-quiet" onClick={() => address.forgetFingerprint()}>
        {t`Dismiss`}
      </button>
      {compared !== null && <Table compared={compared} />}
    </section>
  );
}

function Table({ compared }: { compared: Compared }) {
  return (
    <details className="comparison-more" open={!compared.same}>
      <summary>{t`Figure by figure`}</summary>
      <div className="comparison-table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t`figure`}</th>
              <th scope="col">{t`in the link`}</th>
              <th scope="col">{t`here`}</th>
              <th scope="col">{t`difference`}</th>
              <th scope="col">{t`tolerance`}</th>
            </tr>
          </thead>
          <tbody>
            {compared.figures.map((figure) => (
              <Row key={figure.label} figure={figure} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="small muted">
        <Trans>
          GPUs and CPUs round differently, so a figure counts as the same within a twentieth of the
          half-width of its 95 % interval or a thousandth of itself, whichever is more; deviations
          from float64, within 10⁻⁶.
        </Trans>
      </p>
    </details>
  );
}

const digits = (x: number | null) => (x === null ? t`not measured` : significant(x, 5));

function Row({ figure }: { figure: FigureComparison }) {
  const { label, link, here, difference, tolerance, within } = figure;
  return (
    <tr className={within ? '' : 'comparison-off'}>
      <th scope="row">
        <Prose>{label}</Prose>
      </th>
      <td>{digits(link)}</td>
      <td>{digits(here)}</td>
      <td>
        {difference === null ? '–' : significant(difference, 2)} {within ? '' : '✕'}
      </td>
      <td>{significant(tolerance, 2)}</td>
    </tr>
  );
}
