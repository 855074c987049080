/** Under an embedded experiment: where it comes from, and the way to all of it. */
import { useStore } from 'zustand';
import { useAddress } from '../state/address-react';
import { fullAddress } from './addresses';

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
