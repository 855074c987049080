/** How many routes turn as the policy moves, and a dense policy's log-ratios of the same spread, by a study of its own. */
import { useStore } from 'zustand';
import type { DenseOrExperts, RouteStudy } from '../../../src/engine/route-figures';
import { logDomainOf, useAxis } from '../../charts/axes';
import { ErrorBars } from '../../charts/ErrorBars';
import { Legend } from '../../charts/Legend';
import { Rows, type RowMark } from '../../charts/Rows';
import { percentScale } from '../../charts/scale';
import { Figure } from '../../figures/Figure';
import { BackendWords } from '../../format/Backend';
import { count, duration, estimate, interval, percent, significant } from '../../format/numbers';
import { SEQUENCE, TOKEN } from '../../page/statistics/views';
import { DEFAULT_POLICIES, type PoliciesSource } from '../../../src/settings/run';
import { holdLab } from '../../state/hold';
import { useLab, useLabState } from '../../state/react';
import { routeStudy } from './study';

/** The run's own pair where its policy has experts, else the first policy that has some; null: there is none. */
function useSource(): PoliciesSource | null {
  const opening = useLabState((state) => state.opening);
  const ran = useLabState(({ run }) => run?.settings?.source ?? null);
  const routed = (opening.status === 'open' ? opening.policies : []).filter(
    ({ experts }) => experts !== undefined,
  );
  const own = ran?.kind === 'policies' ? ran : DEFAULT_POLICIES;
  if (routed.some(({ name }) => name === own.policy)) return own;
  const [first] = routed;
  if (first === undefined) return null;
  // One step of training apart: further apart a few tokens bring all of the variance.
  const pair = first.reproducePairs?.[0] ?? first.defaultPair;
  return { ...own, policy: first.name, old: pair.old, new: pair.new };
}

export function StudySection() {
  const { status, study } = useStore(routeStudy.store);
  const lab = useLab();
  const source = useSource();
  const backend = useLabState(({ draft }) => draft.backend);
  if (source === null) return null;
  const running = status.is === 'running';
  const start = () => {
    const release = holdLab(lab);
    void routeStudy.start(source, backend).finally(release);
  };
  return (
    <section className="route-study" aria-labelledby="route-study-head">
      <h2 id="route-study-head">Further along, and beside a dense policy</h2>
      <p className="small" data-part="run">
        Samples {source.old} of {source.policy}, sends the same responses through policies a
        sixteenth to twice as far away, through what training made of it, and a dense policy’s
        responses through a step of the same spread. About a minute on WebAssembly.
      </p>
      <div className="route-study-run no-print" data-part="run">
        {running ? (
          <button type="button" className="button button-main" onClick={() => routeStudy.cancel()}>
            Cancel
          </button>
        ) : (
          <button type="button" className="button button-main" onClick={start}>
            {study === null ? 'Measure' : 'Measure again'}
          </button>
        )}
        <span className="small" role="status" data-testid="route-study">
          {status.is === 'running'
            ? `${percent(status.progress.fraction, 0)}, ${status.progress.doing}` +
              (status.etaSeconds === null ? '' : `; about ${duration(status.etaSeconds)} left`)
            : status.is === 'failed'
              ? `It stopped: ${status.message}`
              : status.is === 'cancelled'
                ? 'Cancelled.'
                : status.is === 'done'
                  ? `Measured in ${duration(status.seconds)}.`
                  : ''}
        </span>
        {running && (
          <progress
            className="route-study-progress"
            aria-label="Progress of the study of routes"
            max={1}
            value={status.progress.fraction}
          />
        )}
      </div>
      {study !== null && (
        <>
          <GrowthFigure study={study} />
          {study.sides !== null && <SidesFigure sides={study.sides} />}
          <p className="small muted">
            Of {study.policy}, {study.old} → {study.new}; {count(study.sequences)} responses,{' '}
            {count(study.tokens)} tokens.
          </p>
          <BackendWords backend={study.backend} testId="route-study-backend" />
        </>
      )}
    </section>
  );
}

const PAIR_LOOK = { colour: TOKEN.colour, shape: TOKEN.shape };

function GrowthFigure({ study }: { study: RouteStudy }) {
  const { alphas, growth, training } = study;
  const shown = alphas.filter(({ share }) => share.estimate > 0);
  const marks = shown.map(({ at, share }) => ({
    x: at,
    y: share.estimate,
    interval:
      share.interval &&
      ([Math.max(share.interval[0], share.estimate / 10), share.interval[1]] as const),
  }));
  const key = `${study.policy} ${study.old} ${study.new}`;
  const x = useAxis(
    'log',
    logDomainOf(
      alphas.map(({ at }) => at),
      0.1,
    ),
    `${key} way`,
    6,
  );
  const values = [
    ...marks.flatMap(({ y, interval: ends }) => [y, ...(ends ?? [])]),
    ...alphas.map(({ predicted }) => predicted),
  ];
  const y = useAxis('log', logDomainOf(values), `${key} flips`, 5);
  return (
    <Figure
      title="Routes that turn, against how far the policy moves"
      recorded={false}
      table={() => ({
        columns: ['from', 'to', 'share of (token, layer)', '95 % interval', 'predicted'],
        rows: [
          ...alphas.map(({ at, share, predicted }) => [
            study.old,
            `${significant(at, 3)} of the way to ${study.new}`,
            percent(share.estimate, 3),
            interval(share.interval, 3),
            percent(predicted, 3),
          ]),
          ...training.series.flatMap(({ name, points }) =>
            points.map(({ at, share, predicted }) => [
              training.start,
              `${name.toUpperCase()}, ${at} steps`,
              percent(share.estimate, 3),
              interval(share.interval, 3),
              percent(predicted, 3),
            ]),
          ),
        ],
      })}
      caption={
        <>
          Share of (token, layer) whose experts changed, on the same responses. Line: if every
          router’s logits moved in a straight line from the old policy to the new. Between an eighth
          of the way and the whole, the share grows like α to the power{' '}
          {Number.isFinite(growth.estimate)
            ? `${significant(growth.estimate, 3)} ${interval(growth.interval)}`
            : 'that cannot be told from so few'}
          ; in proportion would be 1.
          {training.series.length > 0 && (
            <>
              {' '}
              Along training, from {training.start}:{' '}
              {training.series
                .flatMap(({ name, points }) =>
                  points.map(
                    ({ at, share }) =>
                      `${percent(share.estimate, 1)} after ${at} steps of ${name.toUpperCase()}`,
                  ),
                )
                .join(', ')}
              .
            </>
          )}
        </>
      }
    >
      <Legend
        items={[
          { name: 'measured', mark: PAIR_LOOK.shape, colour: PAIR_LOOK.colour },
          { name: 'straight line', line: 'prediction' },
        ]}
      />
      <ErrorBars
        label="Share of routes that turned, against the share of the way between the policies"
        x={x}
        y={y}
        xLabel="α, share of the way"
        yLabel="share of (token, layer)"
        height={300}
        lines={[
          {
            id: 'straight',
            kind: 'prediction',
            points: alphas
              .filter(({ predicted }) => predicted > 0)
              .map(({ at, predicted }) => [at, predicted] as const),
          },
        ]}
        series={[
          {
            id: 'measured',
            ...PAIR_LOOK,
            marks,
            describe: (i) => {
              const one = shown[i];
              if (one === undefined) return { head: '', rows: [] };
              return {
                head: `α = ${significant(one.at, 3)}`,
                rows: [
                  ['turned', percent(one.share.estimate, 3)],
                  ['95 % interval', interval(one.share.interval)],
                  ['straight line', percent(one.predicted, 3)],
                ],
              };
            },
          },
        ]}
      />
    </Figure>
  );
}

const FIGURES: readonly {
  name: string;
  of(side: DenseOrExperts): { estimate: number; interval: [number, number] | null };
}[] = [
  { name: 'Var[log s], of σ² mean(1/L)', of: ({ level }) => level },
  { name: 'of Var[dₜ], from the largest hundredth of the tokens', of: ({ largest }) => largest },
  { name: 'tokens clipped by GSPO', of: ({ clipped }) => clipped.gspo },
  { name: 'tokens clipped by GRPO', of: ({ clipped }) => clipped.grpo },
];
const SIDES = [
  { id: 'experts', name: 'experts', look: TOKEN, filled: true },
  { id: 'dense', name: 'dense', look: SEQUENCE, filled: false },
] as const;

function SidesFigure({ sides }: { sides: NonNullable<RouteStudy['sides']> }) {
  const { experts, dense } = sides;
  return (
    <Figure
      title="Experts beside dense, at one spread"
      recorded={false}
      table={() => ({
        columns: ['of', 'experts', '95 % interval', 'dense', '95 % interval'],
        rows: [
          ...FIGURES.map(({ name, of }) => [
            name,
            ...SIDES.flatMap(({ id }) => {
              const own = of(sides[id]);
              return [percent(own.estimate, 2), interval(own.interval, 3)];
            }),
          ]),
          ...(['variance', 'kurtosis'] as const).map((key) => [
            key === 'variance' ? 'Var[dₜ], nats²' : 'kurtosis of dₜ',
            ...SIDES.flatMap(({ id }) => [
              significant(sides[id][key].estimate, 4),
              interval(sides[id][key].interval, 3),
            ]),
          ]),
        ],
      })}
      caption={
        <>
          {experts.policy} from {experts.old} to {experts.new}, and {dense.policy} from {dense.old}{' '}
          {significant(dense.alpha, 3)} of the way to {dense.new}, where Var[dₜ] is the same:{' '}
          {significant(experts.variance.estimate, 3)} and {significant(dense.variance.estimate, 3)}{' '}
          nats². Kurtosis of dₜ: {estimate(experts.kurtosis)} with experts,{' '}
          {estimate(dense.kurtosis)} without.
        </>
      }
    >
      <Legend
        items={SIDES.map(({ name, look }) => ({ name, mark: look.shape, colour: look.colour }))}
      />
      <Rows
        label="What differs between experts and dense at the same variance of the log-ratio"
        rows={FIGURES.map(({ name, of }) => ({
          name,
          marks: SIDES.map(({ id, name: side, look, filled }): RowMark => {
            const own = of(sides[id]);
            return {
              name: side,
              value: Number.isFinite(own.estimate) ? own.estimate : null,
              interval: own.interval,
              shape: look.shape,
              colour: look.colour,
              filled,
            };
          }),
        }))}
        x={percentScale(1.5)}
        xLabel="share"
        show={(share) => percent(share, 2)}
        marks={[{ value: 1, label: 'independent tokens' }]}
      />
    </Figure>
  );
}
