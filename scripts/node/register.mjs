/** `node --import ./scripts/node/register.mjs`: TypeScript by tsx, and `?raw` imports. */
import { register } from 'node:module';
import 'tsx';

register('./raw-hooks.mjs', import.meta.url);
