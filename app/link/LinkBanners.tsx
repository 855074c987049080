/** What a link asks for that needs a person's word, and how its fingerprint compares. */
import { Trans } from '@lingui/react/macro';
import { t } from '@lingui/core/macro';
import { useId, useState } from 'react';
import { message } from '../../src/message';
import { readOwnId, runDifferences } from '../../src/settings/run';
import { useAddress, useAddressState } from '../state/address-react';
import { missingOwn } from '../state/lab-opening';
import { useLab, useLabState } from '../state/react';
import { WantedModels } from '../models/WantedModels';
import { Comparison } from './Comparison';
import { useStore } from 'zustand';
import { fullAddress } from './addresses';

export function LinkBanners() {
  const opened = useAddressState((state) => state.opened);
  return (
    <>
      <Offer />
      <WantedCheckpoint />
      <WantedModels />
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
        {changed.length > 4 && t` and ${changed.length - 4} more`}
      </p>
      <button
        type="button"
        className="button button-main"
        disabled={!ready}
        onClick={() => void address.accept()}
      >
        {t`Run it`}
      </button>
      <button type="button" className="button-quiet" onClick={() => address.decline()}>
        {t`Not now`}
      </button>
    </div>
  );
}

/** A checkpoint of somebody's own, which the setup names and this tab does not have. */
function WantedCheckpoint() {
  const lab = useLab();
  const field = useId();
  const [problem, setProblem] = useState<string | null>(null);
  const id = useLabState(({ draft, opening }) =>
    opening.status === 'open' ? missingOwn(draft, opening.policies)[0] : undefined,
  );
  const own = id === undefined ? null : readOwnId(id);
  if (id === undefined || own === null) return null;
  return (
    <div className="banner" role="status" data-testid="wanted-checkpoint">
      <p>
        <Trans>
          These settings name a checkpoint that is no part of the lab but a file of whoever made
          them: <b>{own.name}</b>, whose SHA-256 begins with <code>{own.hash}</code>. With that file
          the same run can be made here. {problem !== null && <b role="alert">{problem}</b>}
        </Trans>
      </p>
      <label className="button button-main" htmlFor={field}>
        {t`Choose the file…`}
      </label>
      <input
        id={field}
        type="file"
        className="visually-hidden"
        accept=".safetensors"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          setProblem(null);
          if (file === undefined) return;
          lab.supply(id, file).catch((error: unknown) => setProblem(message(error)));
        }}
      />
      <button type="button" className="button-quiet" onClick={() => lab.restoreDefaults()}>
        {t`Use the lab’s own pair`}
      </button>
    </div>
  );
}

/** Under an embedded experiment: where it comes from, and the way to all of it. */
export function EmbedFoot() {
  const address = useAddress();
  const href = useStore(address.store, () =>
    fullAddress({ ...address.link(), embed: false, hide: [], figure: '' }),
  );
  return (
    <footer className="embed-foot">
      <a href={href} target="_blank" rel="noopener">
        {t`Open in GSPO Lab`}
      </a>
      <span className="muted">{t`Everything runs in this frame; nothing leaves it.`}</span>
    </footer>
  );
}
