/** In the drawer of runs: the ledgers that Reproduce has made in this browser. */
import { Trans } from '@lingui/react/macro';
import { plural, t } from '@lingui/core/macro';
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { PAGES } from '../../src/experiments/manifest';
import { duration } from '../format/numbers';
import { useAddress } from '../state/address-react';
import {
  keptLedgers,
  openLedger,
  refreshLedgers,
  removeLedger,
  type KeptLedger,
} from '../state/kept-ledgers';
import { useLab } from '../state/react';
import { download } from './download';
import { dateWords, ledgerWords } from './words';
import { said } from '../language/i18n';

export function Ledgers() {
  const ledgers = useStore(keptLedgers, (state) => state.ledgers);
  useEffect(refreshLedgers, []);
  if (ledgers.length === 0) return null;
  return (
    <section aria-label={t`Ledgers`}>
      <h3>
        <Trans>Ledgers of {said(PAGES.reproduce.title)}</Trans>
      </h3>
      <ul className="kept-list">
        {ledgers.map((kept) => (
          <LedgerItem key={kept.id} kept={kept} />
        ))}
      </ul>
    </section>
  );
}

function LedgerItem({ kept }: { kept: KeptLedger }) {
  const lab = useLab();
  const address = useAddress();
  const shown = useStore(keptLedgers, (state) => state.opened?.id === kept.id);
  const { ledger, createdAt, seconds } = kept;
  const title = ledgerWords(ledger);
  return (
    <li className="kept" data-testid="kept-ledger">
      <div className="kept-head">
        <h4>{title}</h4>
        {shown && <span className="kept-state">{t`in view`}</span>}
      </div>
      <p className="kept-facts">
        <Trans>
          {dateWords(createdAt)} ·{' '}
          {plural(ledger.pairs.length, { one: '# pair', other: '# pairs' })},{' '}
          {plural(ledger.claims.length, { one: '# claim', other: '# claims' })} · took{' '}
          {duration(seconds)}
        </Trans>
      </p>
      <div className="kept-actions">
        <button
          type="button"
          className="button"
          onClick={() => {
            openLedger(kept);
            address.go('reproduce');
          }}
        >
          {t`Open`}
        </button>
        <button
          type="button"
          className="button-quiet"
          onClick={() =>
            download(
              `gspo-lab-ledger-seed-${ledger.seed}.json`,
              new Blob([`${JSON.stringify(ledger, null, 2)}\n`], { type: 'application/json' }),
            )
          }
        >
          JSON
        </button>
        <button
          type="button"
          className="button-quiet"
          onClick={() => lab.offerUndo(t`The ledger “${title}” is deleted.`, removeLedger(kept))}
        >
          {t`Delete`}
        </button>
      </div>
    </li>
  );
}
