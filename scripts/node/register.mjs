/** `node --import ./scripts/node/register.mjs`: TypeScript by tsx, and `?raw` imports. */
import * as nodeModule from 'node:module';
import 'tsx';
import { load } from './raw-hooks.mjs';

// `register` is deprecated from Node 26 on; Node 20 has nothing else.
if (nodeModule.registerHooks) nodeModule.registerHooks({ load });
else nodeModule.register('./raw-hooks.mjs', import.meta.url);
