/** The page's right-hand side: prediction, the formulas with numbers in them, verdict, "break it". */
import type { EquivalenceResult } from '../../../src/experiments/equivalence';
import { Formula } from '../../format/Formula';
import { count, significant } from '../../format/numbers';
import { useAnswer, useLab, useLabState } from '../../state/react';
import { Claims } from '../../page/ExperimentPage';
import { DEFINITIONS, IDENTITY, inTheMean, workedExample } from './tex';

export function Words({
  result,
  recorded,
}: {
  result: EquivalenceResult | null;
  recorded: boolean;
}) {
  return (
    <>
      <section>
        <h2>Prediction</h2>
        <Formula tex={IDENTITY} block height={64} label="s by three forms, all equal" />
        <p>
          The identity is algebra; it must hold to rounding, whatever the policies, the responses or
          the length. Each form takes its own route through the arithmetic, so rounding is all that
          can tell them apart.
        </p>
        <details>
          <summary>What the symbols mean</summary>
          <Formula tex={DEFINITIONS} block height={150} label="definitions of the symbols" />
        </details>
      </section>
      <section>
        <h2>With numbers in it</h2>
        <WorkedExample live={!recorded && result !== null} />
        {result !== null && (
          <>
            <p className="small">
              Over all {count(result.sequences)} responses
              {recorded && ' (recorded)'}; standard deviation of log s{' '}
              {significant(result.summary.sdLogWeight, 3)}:
            </p>
            <Formula
              tex={inTheMean(result)}
              block
              height={58}
              label="mean of log s equals mean cross-entropy change"
            />
          </>
        )}
      </section>
      <section>
        <h2>Verdict</h2>
        <Claims claims={result?.claims ?? []} deciding="of the three about the forms" />
      </section>
    </>
  );
}

/** The inspected response, or the first one. */
function WorkedExample({ live }: { live: boolean }) {
  const lab = useLab();
  const run = useLabState((state) => state.run?.id ?? null);
  const inspected = useLabState((state) => state.inspection?.sequence ?? null);
  const index = inspected ?? 0;
  // A run that has just begun has no response to ask for, though the page still shows the run before.
  const there = useLabState((state) => (state.run?.progress.sequences ?? 0) > index);
  const answer = useAnswer(live && there ? `${run}:${index}` : null, () =>
    lab.sequence(run ?? 0, index),
  );
  if (answer.status !== 'here') {
    return (
      <p className="plot-empty worked-waiting" data-testid="worked-waiting">
        {answer.status === 'refused'
          ? answer.message
          : live && there
            ? 'Fetching a response…'
            : 'One response of your own run is worked through here.'}
      </p>
    );
  }
  const sequence = answer.value;
  return (
    <>
      <p className="small">
        Response #{sequence.index}, L = {sequence.length}:{' '}
        <button
          type="button"
          className="link"
          onClick={() =>
            lab.inspect({
              low: -Infinity,
              high: Infinity,
              title: 'all responses',
              sequence: sequence.index,
            })
          }
        >
          see its tokens
        </button>
      </p>
      <Formula
        tex={workedExample(sequence)}
        block
        height={148}
        label={`three forms of s for response ${sequence.index}`}
      />
    </>
  );
}
