/** Threads that sample, in Node: `node:worker_threads` behind the part of a browser's Worker that clients use. */
import { Worker as NodeWorker } from 'node:worker_threads';
import type { Wire } from '../../src/engine/rpc/channel';

const FILE = new URL('./sampler-thread.ts', import.meta.url);
const REGISTER = new URL('./register.mjs', import.meta.url).href;

/** Does not keep the process alive. */
export function samplerThread(): Wire {
  const entry = `await import(${JSON.stringify(REGISTER)}); await import(${JSON.stringify(FILE.href)});`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(entry)}`);
  const thread = new NodeWorker(url, {
    execArgv: ['--conditions', 'onnxruntime-web-use-extern-wasm'],
  });
  thread.unref();
  const wire: Wire = {
    onmessage: null,
    onerror: null,
    postMessage: (message: unknown) => thread.postMessage(message),
    terminate: () => void thread.terminate(),
  };
  thread.on('message', (data) => {
    wire.onmessage?.call(wire as Worker, new MessageEvent('message', { data }));
  });
  thread.on('error', (error: Error) => {
    const event = { message: error.message, preventDefault: () => undefined };
    wire.onerror?.call(wire as Worker, event as ErrorEvent);
  });
  return wire;
}
