/**
 * The Train page: racers from the same start, seed and prompts, trained side by side in this tab, with
 * live curves; every step's rollouts and weights can be taken into the rest of the lab.
 */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import type { KeptRace, OwnStart } from '../../../src/engine/trainer/protocol';
import type { ShippedRace } from '../../../src/engine/trainer/client';
import { sameRace, trainingOf, type TrainingSettings } from '../../../src/settings/training';
import { useAddress, useAddressState } from '../../state/address-react';
import { linkOfPage } from '../../runs/stamp';
import { holdLab } from '../../state/hold';
import { counted } from '../../format/numbers';
import { useLab } from '../../state/react';
import { Term } from '../../format/Term';
import { tellRace } from '../../lessons/session';
import { ExperimentPage } from '../../page/ExperimentPage';
import '../../charts/practice.css';
import { Controls, useFirstMeasure } from './Controls';
import { Compared, finishedResult, ShareRace } from './LinkedResult';
import { Kept } from './Kept';
import { looksOf } from './names';
import { Open } from './Open';
import { stampOfRace } from './race-stamp';
import { RaceFigures } from './RaceFigures';
import { useRecordedRace } from './recorded-race';
import { SamplesPanel } from './SamplesPanel';
import { isPaused, isUnderWay, session, type RaceState, type SessionState } from './session';
import type { Line } from './series';
import { useWakeLock } from '../../page/wake-lock';
import { About } from './Words';
import '../../page/standalone.css';
import './train.css';

export default function Train() {
  const state = useStore(session.store);
  const lab = useLab();
  const address = useAddress();
  const view = useAddressState(({ views }) => views.train);
  const chosen = trainingOf(view);
  const { race } = state;
  const under = isUnderWay(race);
  useWakeLock(under && !isPaused(race));
  useEffect(() => void session.refreshKept(), []);
  useEffect(
    () => tellRace(race && { ...race, over: !isUnderWay(race) && race.failure === null }),
    [race],
  );

  /** The bytes of a start that the person brought; null for a shipped one. */
  const ownStart = async ({ policy, start }: TrainingSettings): Promise<OwnStart | null> => {
    const own = lab.store.getState().own.find((one) => one.id === start && one.policy === policy);
    if (own === undefined) return null;
    return { name: own.name, bytes: new Uint8Array(await own.file.arrayBuffer()) };
  };
  /** The lab's run is paused while something is trained or measured here. */
  const train = (begin: () => void) => {
    const release = holdLab(lab);
    begin();
    void session.over().finally(release);
  };
  const start = async (paused: boolean) => {
    if (typeof chosen === 'string') return;
    const own = await ownStart(chosen);
    train(() => session.start(chosen, own, paused));
    if (paused) session.step();
  };
  const measure = () => {
    if (typeof chosen !== 'string' && !chosen.start.startsWith('own-')) {
      const release = holdLab(lab);
      void session.measure(chosen).finally(release);
    }
  };
  useFirstMeasure(state, typeof chosen === 'string' ? null : measure);
  const resume = async (kept: KeptRace) => {
    const own = await ownStart(kept.settings);
    const release = holdLab(lab);
    await session.goOn(kept, own);
    void session.over().finally(release);
  };
  const use = ({ settings }: KeptRace) => address.chooseAll('train', settings);
  const remove = async (kept: KeptRace) => {
    await session.removeKept(kept.id);
    lab.offerUndo('The race is deleted.', () => session.putBack(kept.id));
  };

  // Curves of kept races that are laid over are the person's own.
  const recorded = useRecordedRace(race === null && state.overlaid.length === 0);
  const looks = looksOf(race?.settings.racers ?? []);
  const result = finishedResult(race);
  const repeated = race !== null && typeof chosen !== 'string' && sameRace(race.settings, chosen);
  const stamp = () => {
    const { opening } = lab.store.getState();
    const policies = opening.status === 'open' ? opening.policies : [];
    if (recorded === null) return stampOfRace(race, repeated ? linkOfPage() : null, policies);
    const of = { settings: recorded.settings, own: null, backend: null };
    const { source, ...found } = stampOfRace(of, null, policies);
    return { ...found, source: `recorded ${source}, shipped with the lab` };
  };
  return (
    <ExperimentPage
      page="train"
      lead={
        <>
          Press Train: a <Term of="policy">policy</Term> learns arithmetic by reinforcement in this
          tab, once per <Term of="objective">objective</Term>, on the same prompts. Watch where the{' '}
          <Term of="ratio">ratios</Term> go, who <Term of="clip">clips</Term>, and who gets better.
        </>
      }
      verdict={null}
      figures={
        <div className="standalone-page">
          <Controls
            state={state}
            chosen={chosen}
            onStart={(paused) => void start(paused)}
            onPause={() => session.pause()}
            onResume={() => {
              train(() => session.resume());
            }}
            onStep={() => session.step()}
            onStop={() => session.stop()}
            onMeasure={measure}
          />
          {view.found !== null && (
            <Compared link={view.found} here={repeated ? result : null} looks={looks} />
          )}
          {recorded !== null && <RecordedRace race={recorded} />}
          <RaceFigures
            lines={recorded === null ? linesOf(state) : linesFrom(recorded)}
            steps={
              (race ?? recorded)?.settings.steps ?? (typeof chosen === 'string' ? 10 : chosen.steps)
            }
            axesKey={recorded === null ? `race ${race?.id ?? 0}` : 'recorded'}
            stamp={stamp}
            recorded={recorded !== null}
          />
          {race !== null && <SamplesPanel race={race} looks={looks} stamp={stamp} />}
        </div>
      }
      words={
        <>
          <About />
          {race !== null && <Open race={race} looks={looks} />}
          <ShareRace result={repeated ? result : null} />
          <Kept
            state={state}
            chosen={chosen}
            onOverlay={({ id }) => session.toggleOverlay(id)}
            onChoose={use}
            onResume={(kept) => void resume(kept)}
            onRemove={(kept) => void remove(kept)}
          />
        </>
      }
    />
  );
}

function RecordedRace({ race: { settings } }: { race: ShippedRace }) {
  const names = looksOf(settings.racers).map(({ name }) => name);
  return (
    <p className="notice" data-testid="recorded-note">
      <span className="recorded-tag">recorded</span> These curves are of the race behind the
      checkpoints that ship with the lab: {names.join(' and ')}, {counted(settings.steps, 'step')}{' '}
      of {settings.prompts} × {settings.groupSize} responses from {settings.start}. A race of your
      own replaces them with its first step.
    </p>
  );
}

/** One line per racer. */
const linesFrom = ({ settings, reports }: RaceState): Line[] =>
  looksOf(settings.racers).map((look, i) => ({ look, reports: reports[i] ?? [], faint: false }));

/** The present racers' lines, and those of kept races that are laid over. */
function linesOf({ race, kept, overlaid }: SessionState): Line[] {
  const present = race === null ? [] : linesFrom(race);
  const others = overlaid.flatMap((id, k) => {
    const found = kept?.find((one) => one.id === id);
    if (found === undefined) return [];
    return looksOf(found.settings.racers).map((look, i): Line => ({
      look: { ...look, name: `${look.name} (kept ${k + 1})` },
      reports: found.reports[i] ?? [],
      faint: true,
    }));
  });
  return [...others, ...present];
}
