/** `npm start`: installs what is missing, builds the lab, serves it and opens it. */
import { checkNode, installPackages, run, say } from './setup.mjs';

try {
  checkNode();
  installPackages();
  say('Building the lab ...');
  run('npx', ['vite', 'build', '--logLevel', 'warn']);
  say('Serving it; leave with Ctrl+C.');
  const { preview } = await import('vite');
  const server = await preview({ preview: { open: !process.env.CI && !process.env.NO_OPEN } });
  server.printUrls();
} catch (error) {
  console.error(`npm start failed: ${error.message}`);
  process.exit(1);
}
