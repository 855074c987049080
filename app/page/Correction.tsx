/**
 * The choice of a mismatch correction, for the pages whose figures it changes. Contract: it can be chosen
 * where the rollouts have sampler log-probs, and says why where they have none; what it does to the weights
 * stands beside it.
 */
import { t } from '@lingui/core/macro';
import { useId } from 'react';
import type { CorrectionReport } from '../../src/experiments/shared/settings';
import { CORRECTION_IDS, CORRECTIONS } from '../../src/link/pages';
import { percent, significant } from '../format/numbers';
import { usePageSetting, useTypedText } from '../state/address-react';
import './correction.css';

type Chosen = (typeof CORRECTIONS)[keyof typeof CORRECTIONS];
type CorrectedPage = 'objectives' | 'clipping' | 'gradient';

const NAMES = {
  none: 'none',
  ...Object.fromEntries(Object.entries(CORRECTIONS).map(([id, { title }]) => [id, title])),
} as Record<(typeof CORRECTION_IDS)[number], string>;

/** @returns null for an empty field; undefined for what is no bound */
function read(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const value = Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) && value >= 0 && value <= 1e6 ? value : undefined;
}

const written = (value: number | null) => (value === null ? '' : String(value));

export function Correction({
  page,
  report,
}: {
  page: CorrectedPage;
  /** null: nothing is measured yet */
  report: CorrectionReport | null;
}) {
  const [id, choose] = usePageSetting(page, 'correction');
  const select = useId();
  const hint = useId();
  const without = report !== null && !report.available;
  const correction = id === 'none' ? null : CORRECTIONS[id];
  return (
    <div className="page-controls correction" data-part="controls" data-testid="correction">
      <label htmlFor={select}>{t`Mismatch correction`}</label>
      <select
        id={select}
        className="select-small"
        value={id}
        disabled={without && id === 'none'}
        aria-describedby={hint}
        onChange={(event) => {
          const found = CORRECTION_IDS.find((one) => one === event.target.value);
          if (found !== undefined) choose(found);
        }}
      >
        {CORRECTION_IDS.map((one) => (
          <option key={one} value={one}>
            {NAMES[one]}
          </option>
        ))}
      </select>
      {correction?.lowMay === true && (
        <Bound page={page} name="corrLow" label={t`from`} recommended={correction.low} />
      )}
      {correction !== null && (
        <Bound
          page={page}
          name="corrHigh"
          label={correction.of ?? t`to`}
          recommended={correction.high}
        />
      )}
      {correction !== null && settingsOf(correction) !== '' && (
        <span className="muted" data-testid="correction-settings">
          {settingsOf(correction)}
        </span>
      )}
      <span id={hint} className="muted" data-testid="correction-effect">
        {without
          ? t`These rollouts have no sampler log-probs (logp_sampler): there is nothing to correct.`
          : effectWords(report)}
      </span>
    </div>
  );
}

/** What switches it on in which library. */
function settingsOf({ trl, verl, nemo }: Pick<Chosen, 'trl' | 'verl' | 'nemo'>): string {
  const own = [
    ['TRL', trl],
    ['verl', verl],
    ['NeMo-RL', nemo],
  ] as const;
  return own.flatMap(([name, how]) => (how === null ? [] : `${name}: ${how}`)).join('; ');
}

function effectWords(report: CorrectionReport | null): string {
  const effect = report?.effect;
  if (!effect) return t`multiplies each token by what the trainer makes of the sampler’s choice`;
  return t`weights ${significant(effect.min, 3)} to ${significant(effect.max, 3)}, mean ${significant(effect.mean, 5)}; ${percent(effect.dropped, 2)} of the tokens dropped; effective sample size ${percent(effect.effective, 2)}`;
}

interface BoundProps {
  page: CorrectedPage;
  name: 'corrLow' | 'corrHigh';
  label: string;
  /** null: none */
  recommended: number | null;
}

function Bound({ page, name, label, recommended }: BoundProps) {
  const [value, choose] = usePageSetting(page, name);
  const [text, setText] = useTypedText(value, read, written);
  const wrong = read(text) === undefined;
  return (
    <label>
      {label}
      <input
        type="text"
        inputMode="decimal"
        placeholder={recommended === null ? t`none` : String(recommended)}
        value={text}
        aria-invalid={wrong}
        onChange={(event) => {
          setText(event.target.value);
          const number = read(event.target.value);
          if (number !== undefined) choose(number);
        }}
      />
      {wrong && <span className="field-issue">{t`a number, 0 or more`}</span>}
    </label>
  );
}
