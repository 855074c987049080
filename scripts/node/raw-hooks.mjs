/**
 * Lets Node import a file's text the way Vite does: `import code from './kernel.wgsl?raw'`. Contract: works as a hook of
 * `module.registerHooks` and of `module.register`, whose `next` gives a promise.
 */
import { readFileSync } from 'node:fs';

export function load(url, context, next) {
  if (!url.endsWith('?raw')) return next(url, context);
  const text = readFileSync(new URL(url.slice(0, -'?raw'.length)), 'utf8');
  return {
    format: 'module',
    source: `export default ${JSON.stringify(text)};`,
    shortCircuit: true,
  };
}
