/** What a link asks for that needs a person's word, and how its fingerprint compares. */
import { runDifferences } from '../../src/settings/run';
import { useAddress, useAddressState } from '../state/address-react';
import { useLabState } from '../state/react';
import { Comparison } from './Comparison';

export function LinkBanners() {
  const opened = useAddressState((state) => state.opened);
  return (
    <>
      <Offer />
      {opened !== null && <Comparison opened={opened} />}
    </>
  );
}

function Offer() {
  const address = useAddress();
  const offer = useAddressState((state) => state.offer);
  const settings = useLabState((state) => state.run?.settings ?? null);
  const ready = useLabState((state) => state.opening.status === 'open');
  if (offer === null) return null;
  const changed = settings === null ? [] : runDifferences(settings, offer.run);
  return (
    <div className="banner" role="status" data-testid="offer">
      <p>
        {offer.why}{' '}
        {changed.slice(0, 4).map(({ name, before, after }, i) => (
          <span key={name}>
            {i > 0 && ', '}
            {name} <s>{before}</s> → <b>{after}</b>
          </span>
        ))}
        {changed.length > 4 && ` and ${changed.length - 4} more`}
      </p>
      <button
        type="button"
        className="button button-main"
        disabled={!ready}
        onClick={() => void address.accept()}
      >
        Run it
      </button>
      <button type="button" className="button-quiet" onClick={() => address.decline()}>
        Not now
      </button>
    </div>
  );
}
