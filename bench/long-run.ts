/**
 * A run of fifty thousand responses, analysis included: does the cost of a response stay, and does the memory? In Node,
 * on WebAssembly, through the engine that the page has. Contract: parts of the run that lie between two looks are
 * compared with one another; a look asks the pages' experiments about all responses so far, as a page in view does.
 */
import { nodeClient } from '../scripts/node/client';
import { experimentSettings } from '../src/link/experiments';
import { pageDefaults } from '../src/link/pages';
import type { ExperimentId } from '../src/experiments/manifest';
import { DEFAULT_POLICIES, type RunSettings } from '../src/settings/run';

const LOOKS = [512, 2048, 8192, 24_576, 49_152];
const PAGES: readonly ExperimentId[] = ['equivalence', 'variance', 'dependence'];

/** Short ones, and many to a prompt: what is measured is what grows with the number of responses. */
const SETTINGS: RunSettings = {
  backend: 'wasm',
  source: { ...DEFAULT_POLICIES, prompts: 4096, groupSize: 12, maxOperators: 3, budget: 0 },
};

export interface LongPart {
  responses: number;
  /** ms of sampling and scoring a response, since the look before */
  each: number;
  /** ms of a look's experiments for each of its responses */
  look: number;
  /** MiB of the process, and of it of JavaScript's heap and buffers */
  resident: number;
  held: number;
}

export async function benchLongRun(say: (part: LongPart) => void): Promise<LongPart[]> {
  const client = nodeClient();
  await client.open('wasm');
  const parts: LongPart[] = [];
  const run = client.start(SETTINGS);
  let began = performance.now();
  let before = 0;
  let looking = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const look = async (responses: number) => {
      client.pause(run);
      const took = performance.now() - began;
      const asked = performance.now();
      for (const page of PAGES) {
        const settings = experimentSettings(page, pageDefaults(page))?.settings;
        await client.experiment(run, page, settings as never);
      }
      const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
      const part = {
        responses,
        each: took / (responses - before),
        look: (performance.now() - asked) / responses,
        resident: rss / 2 ** 20,
        held: (heapUsed + arrayBuffers) / 2 ** 20,
      };
      parts.push(part);
      say(part);
      before = responses;
      began = performance.now();
      client.resume(run);
    };
    client.subscribe((event) => {
      if (event.type === 'failed') reject(new Error(event.message));
      if (event.type === 'progress' && event.progress.phase === 'finished') {
        looking.then(resolve, reject);
      }
      const due = LOOKS[parts.length];
      if (event.type !== 'batch' || due === undefined || event.sequences < due) return;
      const { sequences } = event;
      looking = looking.then(() => (LOOKS[parts.length] === due ? look(sequences) : undefined));
      looking.catch(reject);
    });
  });
  await looking;
  return parts;
}
