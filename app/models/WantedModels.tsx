/** Models that the settings name and that are not here: a run of them needs a look and a press. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { dtypeOf, DTYPE_OF, missingModels } from '../state/lab';
import { useLab, useLabState } from '../state/react';
import { ModelCard } from './ModelCard';
import { partsOf } from '../../src/model-ref';
import { placeOf } from './place';
import './models.css';

export function WantedModels() {
  const lab = useLab();
  const asked = useLabState(({ wanted }) => wanted);
  const draft = useLabState((state) => state.draft);
  const models = useLabState((state) => state.models);
  const missing = missingModels(draft, models);
  if (!asked || draft.kind !== 'models') return null;
  if (missing.length === 0) {
    return (
      <div className="banner" role="status" data-testid="wanted-models">
        <p>{t`Both models are here.`}</p>
        <button type="button" className="button button-main" onClick={() => void lab.start()}>
          {t`Run it`}
        </button>
      </div>
    );
  }
  return (
    <div className="banner wanted-models" role="status" data-testid="wanted-models">
      <p>
        {missing.length === 1
          ? t`These settings name a model that is not here. Nothing of it is fetched before you press “Load”.`
          : t`These settings name models that are not here. Nothing of them is fetched before you press “Load”.`}
      </p>
      <ul>
        {missing.map((slot) => {
          const ref = draft.models[slot];
          const { name, host } = placeOf(ref);
          const looking = models.looking[slot];
          return (
            <li key={slot}>
              {models.listed[partsOf(ref).repository] === undefined && (
                <p>
                  <b>{name}</b> <span className="muted">{host}</span>{' '}
                  {ref.startsWith('folder:') ? (
                    t`Choose that folder in the setup.`
                  ) : (
                    <button
                      type="button"
                      className="button"
                      disabled={looking.status === 'looking'}
                      onClick={() => void lab.models.look(slot, ref)}
                    >
                      <Trans>Look at what {host} has</Trans>
                    </button>
                  )}
                </p>
              )}
              {looking.status === 'refused' && (
                <p className="field-issue" role="alert">
                  {looking.message}
                </p>
              )}
              <ModelCard
                ref_={ref}
                dtype={dtypeOf(draft.models[DTYPE_OF[slot]])}
                onGraph={null}
                onRef={null}
              />
            </li>
          );
        })}
      </ul>
      <button type="button" className="button-quiet" onClick={() => lab.dismissWanted()}>
        {t`Not now`}
      </button>
    </div>
  );
}
