/** Lets Node import a file's text the way Vite does: `import code from './kernel.wgsl?raw'`. */
import { readFile } from 'node:fs/promises';

export async function load(url, context, next) {
  if (!url.endsWith('?raw')) return next(url, context);
  const text = await readFile(new URL(url.slice(0, -'?raw'.length)), 'utf8');
  return {
    format: 'module',
    source: `export default ${JSON.stringify(text)};`,
    shortCircuit: true,
  };
}
