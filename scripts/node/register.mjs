/** `node --import ./scripts/node/register.mjs`: TypeScript by tsx, and `?raw` imports. */
import * as nodeModule from 'node:module';
import { isMainThread } from 'node:worker_threads';
import 'tsx';
import { register } from 'tsx/esm/api';
import { load } from './raw-hooks.mjs';

// Imported by a thread, tsx does nothing of itself.
if (!isMainThread) register();

// `register` is deprecated from Node 26 on; Node 20 has nothing else.
if (nodeModule.registerHooks) nodeModule.registerHooks({ load });
else nodeModule.register('./raw-hooks.mjs', import.meta.url);
