/** The engine's thread. Everything below is wiring; the work is in `engine.ts`. */
import { siteFiles } from '../../policy/fetch';
import { version } from '../../../package.json';
import { ModelLibrary } from '../../policy/hub/library';
import { ModelFileStore } from '../../store/model-store';
import { RunStore } from '../../store/run-store';
import { SITE_ASSETS } from '../assets';
import { PageWorkers } from '../rpc/page-workers';
import { Engine } from './engine';
import type { Request } from './protocol';

/** The built worker lives in `assets/`, beside `models/`; the dev server serves `models/` at its root. */
const models = new URL(import.meta.env.DEV ? '/models/' : '../models/', import.meta.url);

const workers = new PageWorkers();

const engine = new Engine({
  assets: SITE_ASSETS,
  files: siteFiles(models.href),
  emit: (event) => self.postMessage(event),
  app: version,
  store: () => RunStore.open(),
  models: new ModelLibrary({ keep: () => ModelFileStore.open() }),
  samplers: {
    createWorker: () => workers.start(),
    most: navigator.hardwareConcurrency,
  },
});

self.onmessage = ({ data }: MessageEvent<Request>) => {
  if (!workers.hear(data)) void engine.handle(data);
};
