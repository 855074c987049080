/** What is kept of models in this browser, how much it is, and the way to be rid of it. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { bytes } from '../format/numbers';
import { useLab, useLabState } from '../state/react';
import { placeOf } from './place';

export function KeptModels() {
  const lab = useLab();
  const kept = useLabState(({ models }) => models.kept);
  if (kept === null) return null;
  const { models, passing } = kept;
  const total = models.reduce((sum, model) => sum + model.bytes, 0);
  return (
    <details className="kept-models" data-testid="kept-models">
      <summary>
        {models.length === 0
          ? t`No model is kept in this browser`
          : t`${plural(models.length, { one: '# model', other: '# models' })} kept in this browser, ${bytes(total)}`}
      </summary>
      {passing !== null && (
        <p className="field-hint">
          <Trans>They last only as long as this page: {passing}</Trans>
        </p>
      )}
      <ul>
        {models.map((model) => {
          const { name, host } = placeOf(model.ref);
          return (
            <li key={model.ref}>
              <span>
                <b>{name}</b> <span className="muted">{host}</span>
                <br />
                {bytes(model.bytes)},{' '}
                {model.dtypes.length === 0 ? t`not whole yet` : model.dtypes.join(', ')}
              </span>
              <button
                type="button"
                className="button-quiet"
                aria-label={t`Remove ${name}`}
                onClick={() => void lab.models.forget(model.ref)}
              >
                {t`Remove`}
              </button>
            </li>
          );
        })}
      </ul>
      <button type="button" className="button-quiet" onClick={() => void lab.models.forget(null)}>
        {t`Remove all, and what is known of earlier visits`}
      </button>
    </details>
  );
}
