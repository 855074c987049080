/**
 * The Stability page: the same small training over seeds and learning rates, with experts and without; the study that
 * ships, and a smaller one trained in this tab.
 */
import { useStore } from 'zustand';
import {
  liveSize,
  judgeStability,
  measureStability,
  type OverSeeds,
  type StabilityMeasure,
  type Study,
  type StudyRun,
} from '../../../src/experiments/stability';
import { PAGES } from '../../../src/experiments/manifest';
import type { Stamp } from '../../../src/export/stamp';
import { count, counted, significant } from '../../format/numbers';
import { Prose } from '../../format/Prose';
import { Term } from '../../format/Term';
import { Claims, ExperimentPage, VerdictChip } from '../../page/ExperimentPage';
import { useWakeLock } from '../../page/wake-lock';
import { linkOfPage } from '../../runs/stamp';
import { usePageSettings } from '../../state/address-react';
import { holdLab } from '../../state/hold';
import { useLab } from '../../state/react';
import { VERSION } from '../../version';
import '../../page/standalone.css';
import { Controls } from './Controls';
import { Figures } from './Figures';
import { useRecordedStudy } from './recorded';
import { study as session } from './session';
import './stability.css';

export default function Stability() {
  const state = useStore(session.store);
  const lab = useLab();
  const recorded = useRecordedStudy();
  const { studySeeds, studySteps, studyRate } = usePageSettings('stability');
  useWakeLock(state.status === 'running');
  const train = (begin: () => void) => {
    const release = holdLab(lab);
    begin();
    void session.over().finally(release);
  };
  const live = state.runs.length > 0;
  const runs: readonly StudyRun[] = live ? state.runs : (recorded?.runs ?? []);
  const measure = measureStability(runs);
  const { claims, verdict } = judgeStability(measure);
  const stamp = (): Stamp => ({
    app: live ? VERSION : (recorded?.app ?? VERSION),
    exportedAt: new Date().toISOString(),
    source: `${live ? '' : 'recorded '}stability study, ${counted(runs.length, 'run')}`,
    link: linkOfPage(),
    seed: null,
    settings: null,
    policies: [],
    backend: null,
  });
  return (
    <ExperimentPage
      page="stability"
      lead={
        <>
          The same short training again and again: GSPO, GRPO, and GRPO with the{' '}
          <Term of="policy">policy</Term>’s old experts replayed, on a mixture of experts; GSPO and
          GRPO on a dense policy. Over seeds and learning rates: who loses what it knew, and whose
          gradients jump?
        </>
      }
      verdict={
        <VerdictChip
          verdict={runs.length === 0 ? 'none' : verdict}
          recorded={!live && runs.length > 0}
        />
      }
      figures={
        <div className="standalone-page">
          {!live && recorded !== null && <RecordedNote study={recorded} />}
          {runs.length > 0 ? (
            <Figures
              measure={measure}
              recorded={!live}
              axesKey={live ? 'live' : 'recorded'}
              stamp={stamp}
            />
          ) : (
            <div className="plot-empty">
              <p>The first runs arrive when a group of them has been trained.</p>
            </div>
          )}
          <Controls
            state={state}
            onStart={() => train(() => session.start(liveSize(studySeeds, studySteps, studyRate)))}
            onPause={() => session.pause()}
            onResume={() => train(() => session.resume())}
            onStop={() => session.stop()}
          />
        </div>
      }
      words={
        <>
          <section aria-label="Claims">
            <h2>Claims</h2>
            <Claims claims={claims} deciding={null} />
          </section>
          <Found measure={measure} />
          <section aria-label="What is compared">
            <h2>What is compared</h2>
            <p className="small">
              <Prose>
                Experts are chosen token by token, so a small change of the weights can send a token
                elsewhere and its ratio jumps. GSPO’s paper (section 5.3) holds that this keeps GRPO
                from converging unless π_θ is made to use the experts of π_old (routing replay), and
                that GSPO, which averages over the response, needs none of it.
              </Prose>
            </p>
            <p className="small">
              Runs of one seed see the same prompts and random numbers, so they are compared within
              the seed. Learning rates reach from where nothing happens in so few steps to where
              everything is lost. On the <a href="#/train">{PAGES.train.title}</a> page the preset
              “Experts” trains one such group with all of its curves.
            </p>
          </section>
        </>
      }
    />
  );
}

/** What nobody had predicted. */
function Found({ measure: { costOfExperts, seeds } }: { measure: StabilityMeasure }) {
  const { gspo, grpo } = costOfExperts;
  if (!gspo?.interval || !grpo?.interval) return null;
  const inPoints = ({ estimate, interval }: OverSeeds) =>
    `${significant(100 * estimate, 3)} [${(interval ?? []).map((x) => significant(100 * x, 3)).join(', ')}]`;
  return (
    <section aria-label="Found besides">
      <h2>Found besides</h2>
      <p className="small">
        With experts a run ends with less than on the dense policy, whatever the objective: by{' '}
        {inPoints(grpo)} points of accuracy under GRPO and {inPoints(gspo)} under GSPO, mean over
        the learning rates, 95 % over {counted(seeds.length, 'seed')}. This was looked for once the
        runs were there: no claim is made of it.
      </p>
    </section>
  );
}

function RecordedNote({ study: { size, runs, recordedAt } }: { study: Study }) {
  return (
    <p className="notice" data-testid="recorded-note">
      <span className="recorded-tag">recorded</span> {counted(runs.length, 'run')} of{' '}
      {counted(size.steps, 'step')} ({recordedAt}, WebAssembly):{' '}
      {counted(size.seeds.length, 'seed')}, learning rates{' '}
      {size.learningRates.map((rate) => significant(rate, 1)).join(', ')},{' '}
      {count(size.evaluatePrompts)} held-out prompts. <code>npm run stability</code> repeats it.
      Runs of your own replace them.
    </p>
  );
}
