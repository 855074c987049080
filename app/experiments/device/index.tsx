/** The check of a device: kernels and policy against float64, backend against backend, and how fast each is. */
import { useStore } from 'zustand';
import type { BackendReport, DeviceReport } from '../../../src/engine/device-check';
import { count, duration, significant } from '../../format/numbers';
import { CopyField } from '../../link/CopyField';
import { ReadingPage } from '../../page/ReadingPage';
import { holdLab } from '../../state/hold';
import { useLab } from '../../state/react';
import { download } from '../../runs/download';
import { VERSION } from '../../version';
import {
  adapterFacts,
  BACKEND_NAMES,
  browserFacts,
  findingOf,
  isOff,
  isSound,
  offWords,
  runSeconds,
  textOf,
  type Fact,
} from './report';
import { deviceSession } from './session';
import '../../page/standalone.css';
import './device.css';

export default function Device() {
  const lab = useLab();
  const { status, report } = useStore(deviceSession.store);
  const running = status.is === 'running';
  return (
    <ReadingPage
      page="device"
      lead={
        <p>
          Before a class or an experiment: one press compares what this browser computes with
          float64, the GPU with WebAssembly, and times both. Nothing leaves the tab.
        </p>
      }
    >
      <section className="device-controls" aria-label="Check">
        <div className="device-buttons">
          {running ? (
            <button type="button" className="button" onClick={() => deviceSession.cancel()}>
              Cancel
            </button>
          ) : (
            <button
              type="button"
              className="button button-main"
              onClick={() => {
                const release = holdLab(lab);
                void deviceSession.start().finally(release);
              }}
            >
              {report === null ? 'Check this device' : 'Check again'}
            </button>
          )}
        </div>
        <progress
          className="standalone-progress"
          aria-label="Progress of the check"
          max={1}
          value={running ? status.progress.fraction : status.is === 'done' ? 1 : 0}
        />
        <p className="small" role="status" data-testid="device-status">
          {status.is === 'idle' &&
            'It takes some seconds; minutes where the GPU is a software one.'}
          {running && `${capital(status.progress.doing)} …`}
          {status.is === 'done' &&
            `Checked in ${duration(status.seconds)}, ${status.at.toLocaleString()}.`}
          {status.is === 'cancelled' && 'Cancelled. What had been found is below.'}
          {status.is === 'failed' && `It stopped: ${status.message} What had been found is below.`}
        </p>
      </section>
      {report !== null && <Report report={report} complete={status.is === 'done'} />}
    </ReadingPage>
  );
}

const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

function Report({ report, complete }: { report: DeviceReport; complete: boolean }) {
  const finding = findingOf(report);
  return (
    <>
      {complete && (
        <p className={`device-finding device-${finding.tone}`} data-testid="device-finding">
          {finding.words}
        </p>
      )}
      <Speeds backends={report.backends} />
      {report.backends.map((own) => (
        <Comparisons key={own.backend} own={own} />
      ))}
      <Engines mismatch={report.mismatch} />
      <section>
        <h2>What the browser says of the device</h2>
        <dl className="device-facts">
          {[...browserFacts(), ...adapterFacts(report)].map(({ name, value }: Fact) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {complete && <Leaving report={report} />}
    </>
  );
}

/** The mismatch that a sampler on one backend and a trainer on the other have. */
function Engines({ mismatch }: { mismatch: DeviceReport['mismatch'] }) {
  if (mismatch.length === 0) return null;
  return (
    <section data-testid="device-engines">
      <h2>Sampler on one, trainer on the other</h2>
      <div
        className="table-scroll"
        tabIndex={0}
        role="region"
        aria-label="Sampler on one backend, trainer on the other"
      >
        <table className="device-table">
          <thead>
            <tr>
              <th scope="col">samples</th>
              <th scope="col">tokens</th>
              <th scope="col">bias, nats</th>
              <th scope="col">spread, nats</th>
              <th scope="col">largest, nats</th>
              <th scope="col">spread of log ρ</th>
            </tr>
          </thead>
          <tbody>
            {mismatch.map(({ sampler, tokens, bias, spread, largest, sumSpread }) => (
              <tr key={sampler}>
                <th scope="row">{BACKEND_NAMES[sampler]}</th>
                <td>{count(tokens)}</td>
                <td>{significant(bias, 2)}</td>
                <td>{significant(spread, 2)}</td>
                <td>{significant(largest, 2)}</td>
                <td>{significant(sumSpread, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small muted">
        The same weights: log π of the trainer’s backend minus log π of the sampler’s, per token;
        summed over a response in the last column. Rounding alone sets it; what larger differences
        do is on the page <a href="#/mismatch">Mismatch</a>.
      </p>
    </section>
  );
}

/** Bars side by side on one scale, with their numbers. */
function Speeds({ backends }: { backends: readonly BackendReport[] }) {
  const timed = backends.flatMap((own) =>
    own.speed === null ? [] : [{ ...own, speed: own.speed }],
  );
  if (timed.length === 0) return null;
  const most = Math.max(...timed.flatMap(({ speed }) => [speed.sampling, speed.scoring]));
  return (
    <section>
      <h2>How fast</h2>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Speeds">
        <table className="device-table">
          <thead>
            <tr>
              <th scope="col">backend</th>
              <th scope="col">samples, tokens/s</th>
              <th scope="col">scores, tokens/s</th>
              <th scope="col">512 responses</th>
            </tr>
          </thead>
          <tbody>
            {timed.map((own) => (
              <tr key={own.backend}>
                <th scope="row">{BACKEND_NAMES[own.backend]}</th>
                <td>
                  <Bar
                    of={own.speed.sampling / most}
                    words={count(Math.round(own.speed.sampling))}
                  />
                </td>
                <td>
                  <Bar of={own.speed.scoring / most} words={count(Math.round(own.speed.scoring))} />
                </td>
                <td>{`about ${duration(runSeconds(own) ?? 0)}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small muted">
        On one thread, with short responses of the lab’s policy; a run on WebAssembly shares its
        batches among the processor’s threads, and so takes less.
      </p>
    </section>
  );
}

function Bar({ of, words }: { of: number; words: string }) {
  return (
    <span className="device-bar">
      <span className="device-bar-fill" style={{ inlineSize: `${100 * of}%` }} />
      <span>{words}</span>
    </span>
  );
}

/** Decades below what is allowed that a bar spans. */
const DECADES = 6;

function Comparisons({ own }: { own: BackendReport }) {
  const { backend, comparisons, failed } = own;
  const name = BACKEND_NAMES[backend];
  return (
    <section data-testid={`device-${backend}`} data-sound={isSound(own)}>
      <h2>{name}: how far off</h2>
      {failed !== null && <p role="alert">{`${name} failed: ${failed}`}</p>}
      {comparisons.length > 0 && (
        <div
          className="table-scroll"
          tabIndex={0}
          role="region"
          aria-label={`${name}, how far off`}
        >
          <table className="device-table">
            <thead>
              <tr>
                <th scope="col">what was computed</th>
                <th scope="col">off by</th>
                <th scope="col">allowed</th>
                <th scope="col">verdict</th>
              </tr>
            </thead>
            <tbody>
              {comparisons.map((one) => (
                <tr key={one.what} className={isOff(one) ? 'device-off' : undefined}>
                  <th scope="row">{one.what}</th>
                  <td>
                    <Bar of={shareOf(one)} words={offWords(one)} />
                  </td>
                  <td>{one.allowed === 0 ? 'none' : significant(one.allowed, 2)}</td>
                  <td>{isOff(one) ? '✗ off' : '✓ right'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {comparisons.some(({ allowed }) => allowed > 0) && (
        <p className="small muted">
          {`Largest deviation, relative where the right value is above 1. Bars: share of what is allowed, on a logarithmic scale of ${DECADES} decades.`}
        </p>
      )}
    </section>
  );
}

function shareOf({ by, allowed }: BackendReport['comparisons'][number]): number {
  if (by === 0) return 0;
  if (allowed === 0 || !Number.isFinite(by)) return 1;
  return Math.min(1, Math.max(0, 1 + Math.log10(by / allowed) / DECADES));
}

/** The report as text, for a mail to whoever helps, and as JSON for a program. */
function Leaving({ report }: { report: DeviceReport }) {
  const facts = browserFacts();
  const json = () => JSON.stringify({ app: VERSION, browser: facts, ...report }, null, 1);
  return (
    <section>
      <h2>The report</h2>
      <CopyField label="Report" text={textOf(report, facts, VERSION)} lines={8} />
      <p>
        <button
          type="button"
          className="button"
          onClick={() =>
            download('gspo-lab-device.json', new Blob([json()], { type: 'application/json' }))
          }
        >
          Save as JSON
        </button>
      </p>
    </section>
  );
}
