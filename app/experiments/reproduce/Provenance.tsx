/** What a stranger needs to check the ledger, and the ways to take it along. */
import type { LedgerHead } from '../../../src/engine/headless/reproduce';
import { counted, significant } from '../../format/numbers';
import { download } from '../../runs/download';
import { RunsButton } from '../../runs/KeepingLine';
import { linkOfPage } from '../../runs/stamp';
import { countsOf, countWords, csvOf, sizeWords } from './ledger';
import type { SessionState } from './session';

export function Provenance({ state }: { state: SessionState }) {
  const { head, ledger, claims, options, startedAt } = state;
  const counts = countsOf(claims);
  const name = `gspo-lab-ledger-seed-${options?.seed ?? 0}`;
  return (
    <>
      <section>
        <h2>In short</h2>
        {claims.length === 0 ? (
          <p>
            The pairs are those that the shipped policies name: as near as a trainer has them, and
            far apart. Nothing is fitted to make a claim hold.
          </p>
        ) : (
          <p data-testid="in-short">
            Of {claims.length} claims {countWords(counts)}
            {ledger === null ? ' so far' : ''}.{' '}
            {ledger !== null &&
              `Of the ${ledger.multiplicity.given} that an interval decided, ${significant(ledger.multiplicity.expectedWrong, 2)} at most are expected to be wrong (e-BH). The ${counted(ledger.pairs.length, 'pair')} rest on ${counted(ledger.samples, 'sample')} of responses: pairs with one old policy are judged on the same ones.`}
          </p>
        )}
      </section>
      <section>
        <h2>Provenance</h2>
        <dl className="numbers provenance">
          <Fact name="app" value={options === null ? null : `GSPO Lab ${options.app}`} />
          <Fact
            name="begun"
            value={startedAt?.toISOString().slice(0, 19).replace('T', ' ') ?? null}
          />
          <Fact name="seed" value={options === null ? null : String(options.seed)} />
          <Fact name="size" value={head === null ? null : sizeWords(head)} />
          <Fact name="backend" value={head === null ? null : backendWords(head)} />
          <Fact name="adapter" value={head?.adapter ?? null} />
          <Fact
            name="claims"
            value={head === null ? null : `sha256 ${head.claimsHash.slice(0, 16)}`}
          />
        </dl>
        {head !== null && (
          <>
            <h3>SHA-256 of the policies</h3>
            <dl className="hashes">
              {head.policies.map(({ name: policy, sha256 }) => (
                <div key={policy}>
                  <dt>{policy}</dt>
                  <dd>
                    <code>{sha256}</code>
                  </dd>
                </div>
              ))}
            </dl>
          </>
        )}
      </section>
      <section className="no-print">
        <h2>Take it along</h2>
        <div className="reproduce-order">
          <button
            type="button"
            className="button"
            disabled={ledger === null}
            onClick={() =>
              download(
                `${name}.json`,
                new Blob([`${JSON.stringify(ledger, null, 2)}\n`], { type: 'application/json' }),
              )
            }
          >
            JSON
          </button>
          <button
            type="button"
            className="button"
            disabled={claims.length === 0}
            onClick={() => {
              const from = head && { head, link: linkOfPage() };
              download(`${name}.csv`, new Blob([csvOf(claims, from)], { type: 'text/csv' }));
            }}
          >
            CSV
          </button>
          <button
            type="button"
            className="button"
            disabled={claims.length === 0}
            onClick={() => window.print()}
          >
            Print the report
          </button>
        </div>
        <p className="small">
          A ledger that is complete is kept in this browser, among the runs. <RunsButton />
        </p>
        <p className="small">
          The same without a screen: <code>npm run reproduce -- --json ledger.json</code>
        </p>
      </section>
    </>
  );
}

const backendWords = ({ backend, kernels }: LedgerHead) =>
  backend === 'webgpu'
    ? 'WebGPU, policy and kernels'
    : `WebAssembly, kernels ${kernels === 'cpu' ? 'in float64' : 'on WebGPU'}`;

function Fact({ name, value }: { name: string; value: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? <span className="muted">–</span>}</dd>
    </div>
  );
}
