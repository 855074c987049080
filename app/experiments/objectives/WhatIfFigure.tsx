/** What if: the same rollouts under two variants, response by response: who gets the gradient. */
import { useMemo } from 'react';
import type { WhatIf, WhatIfSide } from '../../../src/experiments/objectives/what-if';
import {
  BYPASS_IDS,
  SIDE_ADVANTAGES,
  SIDE_IDS,
  VARIANT_ADVANTAGE_TITLES,
  type SideId,
} from '../../../src/link/pages';
import { useStableDomain } from '../../charts/hooks';
import { Legend } from '../../charts/Legend';
import { PointCloud } from '../../charts/PointCloud';
import { domainOf, linearScale, shareText } from '../../charts/scale';
import { pointReading } from '../../charts/table';
import { Figure } from '../../figures/Figure';
import { count, percent, significant } from '../../format/numbers';
import { objectiveView } from '../../page/objective-views';
import { usePageSetting } from '../../state/address-react';
import { useLab, useShowsRecording } from '../../state/react';

/** of TRL's `beta`; null = no penalty */
const BETAS = [null, 0.001, 0.01, 0.04, 0.1] as const;
/** of `top_entropy_quantile`; null = all tokens */
const SHARES = [null, 0.1, 0.2, 0.5, 0.8] as const;
const MOST_POINTS = 1500;

const GROUPS = [
  { name: 'gradient under both', colour: '--series-gspo', shape: 'circle' },
  { name: 'silenced', colour: '--series-dapo', shape: 'square' },
  { name: 'woken', colour: '--series-luspo', shape: 'triangle' },
] as const;

interface Point {
  sequence: number;
  length: number;
  /** share of the gradient, in units of an average response */
  before: number;
  after: number;
}

function nameOf(id: SideId): string {
  const [objective, library] = id.split('.') as [Parameters<typeof objectiveView>[0], string];
  const names: Record<string, string> = {
    trl: 'TRL',
    verl: 'verl',
    tinker: 'Tinker',
    roll: 'ROLL',
  };
  return `${objectiveView(objective).name}, ${names[library] ?? library}`;
}

/** At most `MOST_POINTS` of them, evenly; those that change sides are all shown. */
function pointsOf({ sides, changes, lengths }: WhatIf): Point[][] {
  const [first, second] = sides;
  if (first === undefined || second === undefined) return [];
  const n = first.share.length;
  const point = (i: number): Point => ({
    sequence: i,
    length: lengths[i] as number,
    before: (first.share[i] as number) * n,
    after: (second.share[i] as number) * n,
  });
  const { silenced = [], woken = [] } = changes[1] ?? {};
  const both: number[] = [];
  first.share.forEach((share, i) => {
    if (share > 0 && (second.share[i] as number) > 0) both.push(i);
  });
  const thin = (indices: readonly number[]) => {
    const step = Math.ceil(indices.length / MOST_POINTS);
    return indices.filter((_, k) => k % step === 0).map(point);
  };
  return [thin(both), thin(silenced), thin(woken)];
}

const clipsOf = ({ clips }: WhatIfSide) => clips;

const FACTS: readonly [string, (side: WhatIfSide, result: WhatIf) => string][] = [
  ['clips', clipsOf],
  ['loss', ({ loss }) => significant(loss, 8)],
  ['tokens clipped', ({ clippedTokens }, { tokens }) => shareText(clippedTokens / tokens)],
  ['tokens without gradient', ({ silentTokens }, { tokens }) => shareText(silentTokens / tokens)],
  ['responses without gradient', ({ silentResponses }) => count(silentResponses)],
  ['share it, effectively', ({ effectiveResponses }) => percent(effectiveResponses, 2)],
];

function rowsOf(result: WhatIf): string[][] {
  const [first, second] = result.sides;
  return Array.from(first?.share ?? [], (share, i) => [
    String(i),
    count(result.lengths[i] as number),
    significant(share * result.sequences, 4),
    significant((second?.share[i] ?? NaN) * result.sequences, 4),
  ]);
}

export function WhatIfFigure({ result, axesKey }: { result: WhatIf; axesKey: string }) {
  const lab = useLab();
  const recorded = useShowsRecording();
  const [asIs, setAsIs] = usePageSetting('objectives', 'asIs');
  const [asIf, setAsIf] = usePageSetting('objectives', 'asIf');
  const [topEntropy, setTopEntropy] = usePageSetting('objectives', 'topEntropy');
  // A link may hold a share that the menu does not offer.
  const shares = SHARES.some((share) => share === topEntropy) ? SHARES : [...SHARES, topEntropy];
  const [beta, setBeta] = usePageSetting('objectives', 'beta');
  const [times, setTimes] = usePageSetting('objectives', 'corrected');
  const [bypass, setBypass] = usePageSetting('objectives', 'bypass');
  const [advantages, setAdvantages] = usePageSetting('objectives', 'advantages');
  const betas = BETAS.some((own) => own === beta) ? BETAS : [...BETAS, beta];
  const groups = useMemo(() => pointsOf(result), [result]);
  const clouds = useMemo(
    () =>
      groups.map((points, k) => ({
        colour: GROUPS[k]?.colour ?? '--ink',
        shape: GROUPS[k]?.shape ?? ('circle' as const),
        x: points.map(({ before }) => before),
        y: points.map(({ after }) => after),
      })),
    [groups],
  );
  const all = groups.flat();
  const key = `${axesKey} ${result.sides.map(({ name }) => name).join()}`;
  const [, xHigh] = useStableDomain(domainOf(all.map(({ before }) => before).concat(0)), key);
  const [, yHigh] = useStableDomain(domainOf(all.map(({ after }) => after).concat(0)), key);
  const x = useMemo(() => linearScale([-0.03 * xHigh, xHigh], 5), [xHigh]);
  const y = useMemo(() => linearScale([-0.03 * yHigh, yHigh], 5), [yHigh]);
  const change = result.changes[1];
  const side = (label: string, value: SideId, set: (next: SideId) => void) => (
    <label>
      {label}
      <select
        className="select-small"
        value={value}
        onChange={(event) => {
          const next = SIDE_IDS.find((id) => id === event.target.value);
          if (next !== undefined) set(next);
        }}
      >
        {SIDE_IDS.map((id) => (
          <option key={id} value={id}>
            {nameOf(id)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Figure
      title="What if"
      controls={
        <div className="page-controls">
          {side('As is', asIs, setAsIs)}
          {side('As if', asIf, setAsIf)}
          <label>
            Tokens of largest entropy
            <select
              className="select-small"
              value={topEntropy ?? 'all'}
              onChange={(event) => {
                const { value } = event.target;
                setTopEntropy(value === 'all' ? null : Number(value));
              }}
            >
              {shares.map((share) => (
                <option key={share ?? 'all'} value={share ?? 'all'}>
                  {share === null ? 'all' : `${percent(share, 3)} keep their loss`}
                </option>
              ))}
            </select>
          </label>
          <label>
            Advantages
            <select
              className="select-small"
              value={advantages}
              onChange={(event) => {
                const next = SIDE_ADVANTAGES.find((rule) => rule === event.target.value);
                if (next !== undefined) setAdvantages(next);
              }}
            >
              {SIDE_ADVANTAGES.map((rule) => (
                <option key={rule} value={rule}>
                  {rule === 'source' ? 'as they are' : VARIANT_ADVANTAGE_TITLES[rule]}
                </option>
              ))}
            </select>
          </label>
          {BYPASS_IDS.has(asIf) && (
            <label>
              <input
                type="checkbox"
                checked={bypass}
                onChange={(event) => setBypass(event.target.checked)}
              />
              bypass_mode: the sampler’s log-probs for log π old
            </label>
          )}
          {(result.hasReference || beta !== null) && (
            <label>
              Penalty to the reference policy
              <select
                className="select-small"
                value={beta ?? 'none'}
                onChange={(event) => {
                  const { value } = event.target;
                  setBeta(value === 'none' ? null : Number(value));
                }}
              >
                {betas.map((own) => (
                  <option key={own ?? 'none'} value={own ?? 'none'}>
                    {own === null ? 'none' : `beta = ${own}`}
                  </option>
                ))}
              </select>
            </label>
          )}
          {beta !== null && (
            <label>
              <input
                type="checkbox"
                checked={times}
                onChange={(event) => setTimes(event.target.checked)}
              />
              times the ratio (use_bias_correction_kl)
            </label>
          )}
        </div>
      }
      table={() => ({
        columns: [
          'response',
          'tokens',
          ...result.sides.map(({ name }) => `gradient, average = 1, ${name}`),
        ],
        rows: rowsOf(result),
      })}
      caption={
        <>
          The same responses twice: as is, at the library’s band and without a correction, and as if
          under the other, with your own band and the mismatch correction above where it takes them,
          and with advantages by another rule where you choose one; verl’s <code>bypass_mode</code>{' '}
          where it clips token ratios or is REINFORCE; TRL’s <code>top_entropy_quantile</code> and{' '}
          <code>beta</code> where TRL’s <code>GRPOTrainer</code> has that loss.
          {change !== undefined && (
            <>
              {' '}
              {shareText(change.moved)} of the gradient goes to other responses;{' '}
              {count(change.silenced.length)} are silenced, {count(change.woken.length)} woken.
            </>
          )}
        </>
      }
    >
      <Legend
        items={GROUPS.map(({ shape, ...own }) => ({
          ...own,
          mark: shape,
          hollow: true,
          interval: false,
        }))}
      />
      <PointCloud
        label="Gradient of each response as it is and as it would be"
        clouds={clouds}
        x={x}
        y={y}
        xLabel={`gradient as is, average = 1: ${result.sides[0]?.name ?? ''}`}
        yLabel="as if"
        height={264}
        recorded={recorded}
        describe={(cloud, i) =>
          pointReading(groups[cloud]?.[i], ({ before, after }) => [
            { name: 'as is', value: significant(before, 4) },
            { name: 'as if', value: significant(after, 4) },
          ])
        }
        pick={(i, cloud) => {
          const sequence = groups[cloud]?.[i]?.sequence;
          if (sequence === undefined) return;
          lab.inspect({ low: -Infinity, high: Infinity, title: 'all responses', sequence });
        }}
      />
      <div className="table-scroll" role="region" aria-label="What if, figures" tabIndex={0}>
        <table data-testid="what-if">
          <thead>
            <tr>
              <td />
              {result.sides.map(({ name }, k) => (
                <th key={k} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {FACTS.map(([fact, of]) => (
              <tr key={fact}>
                <td>{fact}</td>
                {result.sides.map((own, k) => (
                  <td key={k}>
                    {of === clipsOf ? (
                      <span className="what-if-words">{of(own, result)}</span>
                    ) : (
                      of(own, result)
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!result.entropies && (
        <p className="small muted">These rollouts have no entropies: no token is chosen by them.</p>
      )}
      {result.lacking !== null && (
        <p className="small muted">
          These rollouts lack {result.lacking}: advantages are as they are.
        </p>
      )}
      {!result.references && (
        <p className="small muted">
          These rollouts have no log-probs of a reference policy: there is no penalty.
        </p>
      )}
      {!result.corrected && (
        <p className="small muted">
          These rollouts have no sampler log-probs: the correction changes nothing.
        </p>
      )}
    </Figure>
  );
}
