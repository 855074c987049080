/** What a link asks for that needs a person's word, and how its fingerprint compares. */
import { runDifferences } from '../../src/settings/run';
import { useAddress, useAddressState } from '../state/address-react';
import { useLabState } from '../state/react';
import { Comparison } from './Comparison';
import { useStore } from 'zustand';
import { fullAddress } from './addresses';

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

/** Under an embedded experiment: where it comes from, and the way to all of it. */
export function EmbedFoot() {
  const address = useAddress();
  const href = useStore(address.store, () =>
    fullAddress({ ...address.link(), embed: false, hide: [] }),
  );
  return (
    <footer className="embed-foot">
      <a href={href} target="_blank" rel="noopener">
        Open in GSPO Lab
      </a>
      <span className="muted">Everything runs in this frame; nothing leaves it.</span>
    </footer>
  );
}
