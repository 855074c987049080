/**
 * The class: links for its seats, class files back, and what they say together. Contract: files are read here and stay
 * here; `src/class` says which may be pooled and how; what is refused is listed with its reason.
 */
import { useState } from 'react';
import { useStore } from 'zustand';
import { classClaim, classClaims, gather, type ClassClaim } from '../../../src/class/gather';
import type { ClassFile } from '../../../src/class/file';
import type { Link } from '../../../src/link/link';
import { PAGES } from '../../../src/experiments/manifest';
import { count, counted, percent, significant } from '../../format/numbers';
import { fullAddress } from '../../link/addresses';
import { ReadingPage } from '../../page/ReadingPage';
import { ClassFigure, type IntervalKind } from './ClassFigure';
import { Collecting } from './Collecting';
import { HandingOut } from './HandingOut';
import { clearHandedIn, handedIn } from './session';
import './class.css';

export default function Class() {
  const { handed } = useStore(handedIn);
  const { link, files, refused } = gather(handed);
  return (
    <ReadingPage
      page="class"
      lead={
        <p>
          Every seat runs the same experiment on prompts of its own and hands in a file of a few kB.
          Here their intervals meet the truth. No server, no names; nothing leaves the tab.
        </p>
      }
    >
      <HandingOut />
      <Collecting />
      <p role="status" data-testid="class-status">
        {handed.length === 0
          ? 'Nothing has been handed in yet.'
          : `${counted(files.length, 'seat')} pooled${refused.length > 0 ? `, ${refused.length} refused` : ''}.`}{' '}
        {handed.length > 0 && (
          <button type="button" className="button" onClick={clearHandedIn}>
            Begin anew
          </button>
        )}
      </p>
      {refused.length > 0 && (
        <section>
          <h2>Refused</h2>
          <ul data-testid="class-refused">
            {refused.map(({ name, why }, i) => (
              <li key={i}>
                <b>{name}</b>: {why}
              </li>
            ))}
          </ul>
        </section>
      )}
      {link !== null && files.length > 0 && <Together link={link} files={files} />}
    </ReadingPage>
  );
}

function Together({ link, files }: { link: Link; files: readonly ClassFile[] }) {
  const claims = classClaims(link);
  const [chosen, setChosen] = useState('');
  const [kind, setKind] = useState<IntervalKind>('once');
  const id = claims.find((own) => own.id === chosen)?.id ?? claims[0]?.id;
  if (id === undefined) return <p className="notice">The page has no claim with an interval.</p>;
  const claim = classClaim(id, files, link);
  return (
    <section>
      <h2>3. Together</h2>
      <p>
        <a href={fullAddress(link)}>{PAGES[link.page].title}</a>, {counted(files.length, 'seat')},{' '}
        {count(files.reduce((sum, { responses }) => sum + responses, 0))} responses.
      </p>
      <div className="class-fields">
        <label>
          Claim{' '}
          <select value={id} onChange={(event) => setChosen(event.target.value)}>
            {claims.map((own) => (
              <option key={own.id} value={own.id}>
                {own.claim}
              </option>
            ))}
          </select>
        </label>
        <label>
          Intervals{' '}
          <select value={kind} onChange={(event) => setKind(event.target.value as IntervalKind)}>
            <option value="once">of one look, 95 %</option>
            <option value="page">of the page, valid at every look</option>
          </select>
        </label>
      </div>
      {claim.pool.seats.length === 0 ? (
        <p className="notice">No seat has an estimate of this claim.</p>
      ) : (
        <>
          <ClassFigure claim={claim} kind={kind} />
          <Findings claim={claim} missing={files.length - claim.pool.seats.length} />
        </>
      )}
      <Backends files={files} />
    </section>
  );
}

const number = (x: number) => significant(x, 4);

function Findings({ claim, missing }: { claim: ClassClaim; missing: number }) {
  const { pool, truth, declaration } = claim;
  const { covered, pooled, spread, seats } = pool;
  const off = seats.filter(({ disagrees }) => disagrees);
  return (
    <ul className="class-findings">
      {covered !== null && (
        <li data-testid="class-covered">
          <b>
            {covered.hits} of {covered.of}
          </b>{' '}
          intervals of 95 % hold{' '}
          {truth === null
            ? 'what the other seats measured together'
            : `the truth, ${number(truth)}`}
          . The share behind that lies between {percent(covered.share[0], 3)} and{' '}
          {percent(covered.share[1], 3)} (exact binomial interval, Clopper &amp; Pearson 1934):{' '}
          {covered.share[0] <= 0.95 && covered.share[1] >= 0.95
            ? '95 % is in it.'
            : '95 % is not in it, so these intervals are not what they say.'}
          {truth === null && ' The truth is not known here: the source does not say it.'}
        </li>
      )}
      {pooled !== null && (
        <li data-testid="class-pooled">
          Pooled: <b>{number(pooled.estimate)}</b>, 95 % interval {number(pooled.interval[0])} to{' '}
          {number(pooled.interval[1])}
          {declaration.prediction === null ? '' : `; predicted ${number(declaration.prediction)}`}.
          Mean of the seats weighted by prompts, interval from the spread between seats, Student’s t
          with {seats.length - 1} degrees of freedom (random groups, Wolter 2007, ch. 2).
        </li>
      )}
      {spread !== null && (
        <li>
          Between seats: Cochran’s Q = {significant(spread.q, 3)} on {spread.df} degrees of freedom,
          p = {significant(spread.p, 2)}:{' '}
          {spread.p < 0.05
            ? 'they differ by more than their standard errors explain.'
            : 'their standard errors explain how they differ.'}
        </li>
      )}
      <li data-testid="class-disagrees">
        {off.length === 0
          ? 'No seat disagrees with the others'
          : `${off.length === 1 ? 'Seat' : 'Seats'} ${off.map(({ seat }) => seat).join(', ')} ${off.length === 1 ? 'disagrees' : 'disagree'} with the others`}
        , at 5 % shared by all seats (each against the pooled rest; Viechtbauer &amp; Cheung 2010).
      </li>
      {missing > 0 && <li>{counted(missing, 'seat')} without an estimate of this claim.</li>}
    </ul>
  );
}

/** Who used which backend. */
function Backends({ files }: { files: readonly ClassFile[] }) {
  const groups = new Map<string, number[]>();
  for (const { seat, backend } of files) {
    const policy =
      backend.policy === null
        ? ''
        : `policy on ${backend.policy === 'wasm' ? 'WebAssembly' : 'WebGPU'}, `;
    const name = `${policy}kernels on ${backend.kernels === 'cpu' ? 'CPU, float64' : 'WebGPU'}`;
    groups.set(name, [...(groups.get(name) ?? []), seat]);
  }
  return (
    <p data-testid="class-backends">
      {[...groups]
        .map(([name, seats]) => `${name}: ${counted(seats.length, 'seat')} (${rangesOf(seats)})`)
        .join('; ')}
      .
    </p>
  );
}

/** "1–4, 7" */
function rangesOf(seats: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const seat of seats) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === seat - 1) last[1] = seat;
    else parts.push([seat, seat]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}
