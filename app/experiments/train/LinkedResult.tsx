/** A link that holds this race’s result; and, where a link brought one, whether it came out the same. */
import { useState } from 'react';
import { comparisonOf, raceResultOf, type RaceResult } from '../../../src/link/race-result';
import { fullAddress } from '../../link/addresses';
import { CopyField } from '../../link/CopyField';
import { percent } from '../../format/numbers';
import { useAddress } from '../../state/address-react';
import type { RacerLook } from './names';
import type { PresentRace } from './session';

/** null until the race has come to its end */
export function finishedResult(race: PresentRace | null): RaceResult | null {
  if (race?.progress?.phase !== 'finished') return null;
  const { backend, claims, settings, reports } = race;
  if (backend === null || claims === null) return null;
  return raceResultOf(backend.policy, claims, settings, reports);
}

export function ShareRace({ result }: { result: RaceResult | null }) {
  const address = useAddress();
  const [open, setOpen] = useState(false);
  const link = address.link('train');
  const text = fullAddress({ ...link, fingerprint: null, view: { ...link.view, found: result } });
  return (
    <section aria-label="Link">
      <h2>A link that can be checked</h2>
      <p className="small">
        {result === null
          ? 'The address holds the settings and the seed. When the race has finished, a link can hold its result, too.'
          : 'Whoever opens it and trains is told whether the same came out.'}
      </p>
      {result !== null &&
        (open ? (
          <CopyField label="Link with the result" text={text} share="GSPO Lab: Train" />
        ) : (
          <button type="button" className="button" onClick={() => setOpen(true)}>
            Link with the result
          </button>
        ))}
    </section>
  );
}

interface ComparedProps {
  link: RaceResult;
  here: RaceResult | null;
  looks: readonly RacerLook[];
}

const WHAT = { reward: 'reward, last quarter', 'held-out': 'held-out accuracy' } as const;

export function Compared({ link, here, looks }: ComparedProps) {
  if (here === null) {
    return (
      <p className="notice" data-testid="race-comparison">
        This link holds its race’s result. Press Train to repeat it; it is compared at the end.
      </p>
    );
  }
  const {
    same: agrees,
    sameBackend: same,
    racers: compared,
    otherClaims,
  } = comparisonOf(link, here);
  return (
    <div className={`notice ${agrees ? '' : 'notice-bad'}`} data-testid="race-comparison">
      <p>
        <b>{agrees ? '✓ The same as in the link.' : '✕ Not the same as in the link.'}</b>{' '}
        {compared === null
          ? 'The link’s race had another number of racers.'
          : same
            ? 'The same backend repeats every reward and every length of every step exactly.'
            : `The link’s race ran on ${link.backend}, this one on ${here.backend}: they round differently, so shares are compared within the sum of their 95 % intervals’ half-widths.`}
      </p>
      {otherClaims !== null && <p>{otherClaims}</p>}
      {compared !== null && (
        <table>
          <thead>
            <tr>
              <th scope="col">racer</th>
              <th scope="col">figure</th>
              <th scope="col">in the link</th>
              <th scope="col">here</th>
              <th scope="col">tolerance</th>
            </tr>
          </thead>
          <tbody>
            {compared.flatMap(({ sameCurve, shares }, i) => [
              <tr key={`${i} curve`}>
                <td>{looks[i]?.name}</td>
                <td>every reward and length</td>
                <td colSpan={2}>{sameCurve ? 'the same' : 'not the same'}</td>
                <td>{same ? 'none' : 'not asked'}</td>
              </tr>,
              ...shares.map(({ what, link: theirs, here: ours, tolerance }) => (
                <tr key={`${i} ${what}`}>
                  <td>{looks[i]?.name}</td>
                  <td>{WHAT[what]}</td>
                  <td>{percent(theirs)}</td>
                  <td>{percent(ours)}</td>
                  <td>{same ? 'none' : percent(tolerance)}</td>
                </tr>
              )),
            ])}
          </tbody>
        </table>
      )}
    </div>
  );
}
