/** Three responses on which the conventions part ways: GSPO's clip share is 2/3 to TRL and 1/2 to verl. */
import type { ExampleResponse, ObjectivesResult } from '../../../src/experiments/objectives';
import { fixed, signed, significant } from '../../format/numbers';
import { epsilonText } from '../../page/objective-views';

/** Which side of GSPO's band a response lies on, and whether the sign of A makes that a clip. */
function sideOf({ s, advantage }: ExampleResponse, { low, high }: { low: number; high: number }) {
  if (s > 1 + high) {
    return { where: `above 1 + ${epsilonText(high)}`, clipped: advantage > 0 };
  }
  if (s < 1 - low) return { where: `below 1 − ${epsilonText(low)}`, clipped: advantage < 0 };
  return { where: 'inside the band', clipped: false };
}

export function Example({ result }: { result: ObjectivesResult }) {
  const gspo = result.example.find(({ id }) => id === 'gspo');
  if (gspo === undefined || gspo.trl === null || gspo.verl === null) return null;
  const { trl, verl } = gspo;
  const { surrogate } = trl.settings;
  if (surrogate.kind !== 'clip') return null;
  return (
    <section className="figure example" aria-labelledby="example-title">
      <header className="figure-head">
        <h3 id="example-title">One batch, two clip shares</h3>
      </header>
      <div className="example-body">
        <ol className="example-responses">
          {result.exampleResponses.map((response, i) => {
            const { where, clipped } = sideOf(response, surrogate);
            return (
              <li key={i} className={clipped ? 'example-clipped' : ''}>
                <span className="example-tokens" aria-hidden="true">
                  {Array.from({ length: response.length }, (_, t) => (
                    <i key={t} />
                  ))}
                </span>
                <span>
                  {response.length} tokens, A = {signed(response.advantage, 1)}, s ={' '}
                  {fixed(response.s, 4)}: {where}, <b>{clipped ? 'clipped' : 'kept'}</b>
                </span>
              </li>
            );
          })}
        </ol>
        <dl className="example-shares">
          <div>
            <dt>TRL counts responses</dt>
            <dd data-testid="example-trl">{fixed(trl.clipShare ?? NaN, 3)}</dd>
            <dd className="small">clip_ratio/region_mean; loss {significant(trl.loss, 8)}</dd>
          </div>
          <div>
            <dt>verl counts tokens</dt>
            <dd data-testid="example-verl">{fixed(verl.clipShare ?? NaN, 3)}</dd>
            <dd className="small">actor/pg_clipfrac; loss {significant(verl.loss, 8)}</dd>
          </div>
        </dl>
      </div>
      <p className="figcaption">
        GSPO at 3e-4 / 4e-4 on three responses, computed here and now. Same data, same gradient: two
        of three responses are clipped, and they hold five of ten tokens. A dashboard that compares
        runs of both libraries compares different things.
      </p>
    </section>
  );
}
