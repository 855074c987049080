/** The trainer's thread. Everything below is wiring; the work is in `training.ts`. */
import { version } from '../../../package.json';
import { siteFiles } from '../../policy/fetch';
import { RaceStore } from '../../store/race-store';
import { SITE_ASSETS } from '../assets';
import { TrainingEngine } from './trainer';
import type { TrainingRequest } from './protocol';

/** The built worker lives in `assets/`, beside `models/`; the dev server serves `models/` at its root. */
const models = new URL(import.meta.env.DEV ? '/models/' : '../models/', import.meta.url);

const engine = new TrainingEngine({
  assets: SITE_ASSETS,
  files: siteFiles(models.href),
  emit: (event) => self.postMessage(event),
  app: version,
  store: () => RaceStore.open(),
});

self.onmessage = ({ data }: MessageEvent<TrainingRequest>) => void engine.handle(data);
