/** One link for each seat, of the experiment and the settings that are in view elsewhere in the lab. */
import { useState } from 'react';
import { whyNoClassFile } from '../../../src/class/file';
import { EXPERIMENT_IDS, PAGES, type ExperimentId } from '../../../src/experiments/manifest';
import { atSeat, withoutSeat } from '../../../src/link/link';
import { MOST_SEATS } from '../../../src/link/seat';
import { fullAddress } from '../../link/addresses';
import { CopyField } from '../../link/CopyField';
import { useAddress, useAddressState } from '../../state/address-react';

export function HandingOut() {
  const address = useAddress();
  // addresses follow the settings
  useAddressState((state) => state.views);
  const [page, setPage] = useState<ExperimentId>('variance');
  const [typed, setTyped] = useState('30');
  const link = withoutSeat(address.link(page));
  const why = whyNoClassFile(atSeat(link, 1));
  const seats = /^\d{1,3}$/.test(typed.trim()) ? Number(typed) : 0;
  const links = Array.from({ length: seats }, (_, i) => {
    const own = atSeat({ ...link, embed: false, figure: '' }, i + 1);
    return fullAddress(own);
  });
  const { source } = link.run;
  return (
    <section>
      <h2>1. Hand out</h2>
      <p>
        One experiment, the settings of this lab, and for each seat prompts of its own:{' '}
        <code>seat=17</code> makes another seed of the link’s.
      </p>
      <div className="class-fields">
        <label>
          Experiment{' '}
          <select value={page} onChange={(event) => setPage(event.target.value as ExperimentId)}>
            {EXPERIMENT_IDS.map((id) => (
              <option key={id} value={id}>
                {PAGES[id].title}
              </option>
            ))}
          </select>
        </label>
        <label>
          Seats{' '}
          <input
            className="class-seats"
            inputMode="numeric"
            value={typed}
            aria-invalid={seats === 0}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
      </div>
      {why !== null ? (
        <p className="notice">{why}</p>
      ) : seats === 0 ? (
        <p className="notice">{`Seats may be a whole number from 1 to ${MOST_SEATS}.`}</p>
      ) : (
        <CopyField label="Links of the seats" text={links.join('\n')} lines={6} />
      )}
      {source.kind === 'policies' && source.budget !== 0 && (
        <p className="small muted">
          These runs rest when their claims are decided: whoever stops at a verdict has intervals
          that hold the truth less often than 95 %. Set <i>Time</i> to 0 to compare the intervals.
        </p>
      )}
    </section>
  );
}
