/** Looking again and again at runs in which the law is true: fixed-n intervals beside those that the lab uses. Computed on request. */
import { useState } from 'react';
import { CurveLegend, Curves, type Curve } from '../../charts/Curves';
import { domainOf, linearScale } from '../../charts/scale';
import { Figure } from '../../figures/Figure';
import { fixed } from '../../format/numbers';
import { useAnswer, useLab } from '../../state/react';
import '../../charts/practice.css';

const HEIGHT = 240;

export function Peeking() {
  const lab = useLab();
  /** sets of runs asked for so far: every press shows the next */
  const [asked, setAsked] = useState(0);
  const answer = useAnswer(asked > 0 ? `peeking ${asked}` : null, () => lab.peeking(asked - 1));
  const found = answer.status === 'here' ? answer.value : null;
  const shown = found?.shown ?? [];
  const curve = (
    name: string,
    colour: string,
    kind: Curve['kind'],
    of: (look: (typeof shown)[number]) => number,
  ): Curve => ({
    id: `${name} ${colour}`,
    name,
    colour,
    kind,
    x: shown.map(({ prompts }) => prompts),
    y: shown.map((look) => Math.exp(of(look))),
  });
  const curves = [
    curve('measured over predicted variance', '--ink', 'points', ({ estimate }) => estimate),
    curve('95 % for one look, lower end', '--bad', 'dashed', ({ fixed: [low] }) => low),
    curve('upper end', '--bad', 'dashed', ({ fixed: [, high] }) => high),
    curve('95 % at every look, lower end', '--accent', 'line', ({ anytime: [low] }) => low),
    curve('upper end', '--accent', 'line', ({ anytime: [, high] }) => high),
  ];
  const ends = shown.flatMap(({ fixed: one, anytime: every }) => [...one, ...every].map(Math.exp));
  const x = linearScale([0, shown.at(-1)?.prompts ?? 256], 5);
  const y = linearScale(domainOf([1, ...ends]), 5);
  return (
    <Figure
      title="Why the intervals are wider than you know them"
      recorded={false}
      controls={
        <button
          type="button"
          className="button-quiet"
          disabled={asked > 0 && answer.status === 'waiting'}
          onClick={() => setAsked(asked + 1)}
        >
          {asked === 0 ? 'Look again and again' : 'Other runs'}
        </button>
      }
      table={() => ({
        columns: ['prompts', 'measured / predicted', 'for one look', 'at every look'],
        rows: shown.map(({ prompts, estimate, fixed: one, anytime: every }) => [
          String(prompts),
          fixed(Math.exp(estimate), 4),
          one.map((end) => fixed(Math.exp(end), 4)).join(' to '),
          every.map((end) => fixed(Math.exp(end), 4)).join(' to '),
        ]),
      })}
      caption={
        found === null ? (
          'Synthetic runs with independent tokens, in which the law is true, looked at while they grow.'
        ) : (
          <>
            The law is true in all {found.runs} synthetic runs ({found.from} to{' '}
            {found.from + found.runs - 1}), each looked at {found.looks} times while it grew. An
            interval of fixed n, made for one look, excluded the truth at some look in{' '}
            <b>{found.wrong.fixed}</b> of them; the interval that the lab uses, valid at every look,
            in <b>{found.wrong.anytime}</b>. Shown is the first run
            {found.wrong.fixed > 0 && ' in which the former was wrong'}.
          </>
        )
      }
    >
      {found === null ? (
        <div className="plot-empty" style={{ height: HEIGHT }}>
          {answer.status === 'refused'
            ? answer.message
            : asked > 0
              ? 'Computing…'
              : 'Computed here when you press the button.'}
        </div>
      ) : (
        <>
          <CurveLegend
            entries={curves
              .filter(({ name }) => name !== 'upper end')
              .map((own) => ({ ...own, name: own.name.replace(', lower end', '') }))}
          />
          <Curves
            label="Measured over predicted variance of one clean run, with both intervals, over the number of prompts"
            curves={curves}
            x={x}
            y={y}
            xLabel="prompts so far"
            yLabel="measured / predicted"
            height={HEIGHT}
            level={1}
            showX={(n) => `${n} prompts`}
            showY={(level) => fixed(level, 3)}
          />
        </>
      )}
    </Figure>
  );
}
