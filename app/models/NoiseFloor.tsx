/** The models' own noise, beside whatever is measured with them. */
import { Trans } from '@lingui/react/macro';
import { DTYPE_OF, modelKey } from '../state/lab';
import { useLabState } from '../state/react';
import { significant } from '../format/numbers';
import './models.css';

export function NoiseFloor() {
  const source = useLabState(({ run }) => run?.settings?.source);
  const reports = useLabState(({ models }) => models.reports);
  if (source?.kind !== 'models') return null;
  const found = (['old', 'new'] as const).flatMap((slot) => {
    const report = reports[modelKey(source[slot], source[DTYPE_OF[slot]])];
    return report === undefined ? [] : [report.probe.floor];
  });
  if (found.length === 0) return null;
  const logp = Math.max(...found.map((floor) => floor.logp));
  const logS = Math.max(...found.map((floor) => floor.logS));
  return (
    <p className="noise-floor" data-testid="noise-floor">
      <Trans>
        The models’ own noise: {significant(logp, 2)} nats in a token’s log-prob,{' '}
        {significant(logS, 2)} in log s. Less than that is not a difference of the models.
      </Trans>
    </p>
  );
}
