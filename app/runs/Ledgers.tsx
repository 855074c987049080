/** In the drawer of runs: the ledgers that Reproduce has made in this browser. */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { PAGES } from '../../src/experiments/manifest';
import { counted, duration } from '../format/numbers';
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

export function Ledgers() {
  const ledgers = useStore(keptLedgers, (state) => state.ledgers);
  useEffect(refreshLedgers, []);
  if (ledgers.length === 0) return null;
  return (
    <section aria-label="Ledgers">
      <h3>Ledgers of {PAGES.reproduce.title}</h3>
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
        {shown && <span className="kept-state">in view</span>}
      </div>
      <p className="kept-facts">
        {dateWords(createdAt)} · {counted(ledger.pairs.length, 'pair')},{' '}
        {counted(ledger.claims.length, 'claim')} · took {duration(seconds)}
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
          Open
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
          onClick={() => lab.offerUndo(`The ledger “${title}” is deleted.`, removeLedger(kept))}
        >
          Delete
        </button>
      </div>
    </li>
  );
}
