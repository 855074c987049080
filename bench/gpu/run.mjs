/**
 * `npm run bench:gpu [-- --small] [--json FILE] [--only kernel,policies,training,tests]`: what the GPU of this
 * machine does, without a browser, in Node on Dawn. `-- --pack DIR` writes a folder for a machine that has no
 * network and nothing installed: `bash DIR/run.sh` there runs the same.
 *
 * Dawn (npm's `webgpu`, 0.6) is installed beside the project, in `.cache/dawn`, when it is first asked for: it
 * is large, and only this command needs it.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DAWN = `${ROOT}.cache/dawn`;
const POLICY = 'arithmetic-dense';

/** Vulkan's loader, and what drivers ask for that are made for a desktop; a bare machine has none of them. */
const LIBRARIES = [
  'libvulkan.so.1',
  'libX11.so.6',
  'libXext.so.6',
  'libxcb.so.1',
  'libXau.so.6',
  'libXdmcp.so.6',
  'libbsd.so.0',
  'libmd.so.0',
  'libEGL.so.1',
  'libGLdispatch.so.0',
];

function execute(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with status ${status}.`);
}

function installDawn() {
  const binding = `${DAWN}/node_modules/webgpu/dist/${process.platform}-${process.arch}.dawn.node`;
  const folder = `${DAWN}/node_modules/webgpu/dist`;
  const find = () =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true })
          .map((file) => `${folder}/${file}`)
          .find(
            (file) =>
              file.endsWith('.node') &&
              file.includes(process.platform) &&
              file.includes(process.arch),
          )
      : undefined;
  if (!find()) {
    console.log('Installing Dawn (npm: webgpu) into .cache/dawn');
    mkdirSync(DAWN, { recursive: true });
    writeFileSync(`${DAWN}/package.json`, '{ "private": true }\n');
    execute('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', 'webgpu@^0.6.2'], {
      cwd: DAWN,
    });
  }
  const found = find();
  if (!found)
    throw new Error(`Dawn has no build for ${process.platform} on ${process.arch} (${binding}).`);
  return found;
}

/** The checks and everything that they import in one file, with what they read beside it. */
async function bundle(out) {
  rmSync(out, { recursive: true, force: true });
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    resolve: {
      alias: [
        { find: /^vitest$/, replacement: `${ROOT}bench/gpu/suite.ts` },
        { find: /^.*\/engine\/assets$/, replacement: `${ROOT}bench/gpu/assets.ts` },
      ],
    },
    ssr: {
      noExternal: true,
      external: ['webgpu'],
      resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'import', 'browser'] },
    },
    build: {
      ssr: `${ROOT}bench/gpu/checks.ts`,
      outDir: out,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        external: ['webgpu'],
        output: { entryFileNames: 'checks.mjs', codeSplitting: false },
      },
    },
  });
  const dawn = installDawn();
  cpSync(dawn, `${out}/dawn.node`);
  mkdirSync(`${out}/node_modules/webgpu`, { recursive: true });
  writeFileSync(
    `${out}/node_modules/webgpu/package.json`,
    '{ "name": "webgpu", "type": "module", "exports": "./index.mjs" }\n',
  );
  writeFileSync(
    `${out}/node_modules/webgpu/index.mjs`,
    "import { createRequire } from 'node:module';\n" +
      "export const { create, globals } = createRequire(import.meta.url)('../../dawn.node');\n",
  );
  for (const name of ['.jspi', '.asyncify', '']) {
    for (const type of ['mjs', 'wasm']) {
      const file = `ort-wasm-simd-threaded${name}.${type}`;
      cpSync(`${ROOT}node_modules/onnxruntime-web/dist/${file}`, `${out}/ort/${file}`);
    }
  }
  const models = `${ROOT}models`;
  cpSync(`${models}/index.json`, `${out}/models/index.json`);
  const { defaultPair } = JSON.parse(readFileSync(`${models}/${POLICY}/lab.json`, 'utf8'));
  const wanted = [defaultPair.old, defaultPair.new];
  cpSync(`${models}/${POLICY}`, `${out}/models/${POLICY}`, {
    recursive: true,
    filter(file) {
      const path = relative(`${models}/${POLICY}`, file);
      if (path.startsWith('training')) return false;
      return (
        !/^checkpoints\/./.test(path) || wanted.some((id) => path.startsWith(`checkpoints/${id}`))
      );
    },
  });
}

/** Node, Vulkan's loader and the rest in one archive: what travels is small. */
function pack(out) {
  cpSync(process.execPath, `${out}/node`, { dereference: true });
  const { stdout } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' });
  for (const library of LIBRARIES) {
    const found = new RegExp(`=> (\\S*/${library.replaceAll('.', '\\.')})$`, 'm').exec(
      stdout ?? '',
    )?.[1];
    if (found) cpSync(found, `${out}/lib/${library}`, { dereference: true });
    else console.log(`${library} is not installed here; the other machine needs one of its own.`);
  }
  const parts = readdirSync(out);
  execute('tar', ['-cf', 'pack.tar.xz', '-I', 'xz -3 -T0', ...parts], { cwd: out });
  for (const part of parts) rmSync(`${out}/${part}`, { recursive: true });
  writeFileSync(
    `${out}/run.sh`,
    `#!/usr/bin/env bash
# Unpacks once, then runs the GPU checks with these arguments.
cd "$(dirname "$0")"
[ -x node ] || tar -xJf pack.tar.xz
LD_LIBRARY_PATH="$PWD/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec ./node checks.mjs "$@"
`,
  );
  chmodSync(`${out}/run.sh`, 0o755);
}

const args = process.argv.slice(2);
const at = args.indexOf('--pack');
const out = at < 0 ? `${ROOT}.cache/bench-gpu` : args[at + 1];
if (!out) throw new Error('--pack takes a folder, which is emptied.');
await bundle(out);
if (at < 0) {
  const { status } = spawnSync(process.execPath, [`${out}/checks.mjs`, ...args], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else {
  pack(out);
}
