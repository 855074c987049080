import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { equivalence } from '../../src/experiments/equivalence';
import { EXPERIMENT_IDS, type ExperimentId } from '../../src/experiments/manifest';
import { EXPERIMENTS } from '../../src/experiments/registry';
import { experimentSettings } from '../../src/link/experiments';
import { pageDefaults } from '../../src/link/pages';
import { DEFAULT_SETTINGS, DEFAULT_SYNTHETIC } from '../../src/settings/run';
import { cpuKernels } from '../../src/math/cpu-kernels';
import type { Rollouts } from '../../src/rollouts/rollouts';
import { syntheticRollouts } from '../../src/rollouts/synthetic';
import { fetchRecording } from './recorded';
import { decode, encode, readRecording, writeRecording, type RecordedName } from './recording';

const ABOUT = {
  recordedAt: '2025-11-23',
  settings: DEFAULT_SETTINGS,
  file: null,
  backend: { policy: 'wasm', kernels: 'cpu', adapter: 'none', reason: 'none', threads: 1 },
  sequences: 24,
  asked: { bins: 8 },
} as const;

async function recording() {
  const rollouts = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 6, groupSize: 4 });
  const result = await equivalence.run(rollouts, { bins: 8 }, { kernels: cpuKernels, seed: 1 });
  return { ...ABOUT, result };
}

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the encoding', () => {
  it('brings back typed arrays, what JSON has no number for, and the tag itself where it is a text', () => {
    const value = {
      counts: Uint32Array.of(1, 4294967295),
      logs: Float64Array.of(0.5, NaN, Infinity, -Infinity),
      bytes: new Uint8Array(0),
      none: null,
      lost: NaN,
      ends: [-Infinity, Infinity],
      deep: [{ name: 'NaN', list: [[1e-300]] }],
    };
    expect(decode(json(encode(value)))).toEqual(value);
  });

  it('keeps nine digits, and integers whole', () => {
    expect(encode([Math.PI, 2 ** 53 - 1, 1e300])).toEqual([3.14159265, 2 ** 53 - 1, 1e300]);
    expect(Math.fround(Number(encode(Math.fround(0.1))))).toBe(Math.fround(0.1));
  });

  it('refuses what it could not bring back', () => {
    expect(() => encode({ map: new Map() })).toThrow('a recording cannot hold');
    expect(() => encode(new Int16Array(2))).toThrow('Int16Array');
    expect(() => decode({ $: 'Function', of: [] })).toThrow('no number is written');
    expect(() => decode({ $: 'Float64Array', of: ['constructor'] })).toThrow();
  });
});

describe('a recording', () => {
  it('comes back as the experiment returned it, to nine digits', async () => {
    const original = await recording();
    const read = readRecording('equivalence', writeRecording('equivalence', original));
    expect(read).toEqual({ ...original, result: decode(encode(original.result)) });
    expect(read?.result.histograms.geometric.counts).toBeInstanceOf(Uint32Array);
  });

  it('that was cut, edited, renamed, or has no verdict is none', async () => {
    const original = await recording();
    const text = writeRecording('equivalence', original);
    expect(readRecording('equivalence', text)).not.toBe(null);
    expect(readRecording('equivalence', text.slice(0, -20))).toBe(null);
    expect(
      readRecording('equivalence', text.replace('"sequences":24,"t', '"sequences":25,"t')),
    ).toBe(null);
    expect(readRecording('variance', text)).toBe(null);
    expect(readRecording('equivalence', '<!doctype html>')).toBe(null);
    const { verdict, ...rest } = original.result;
    expect(verdict).toBe('holds');
    const without = { ...original, result: rest as typeof original.result };
    expect(readRecording('equivalence', writeRecording('equivalence', without))).toBe(null);
    const undated = { ...original, recordedAt: 'yesterday' };
    expect(readRecording('equivalence', writeRecording('equivalence', undated))).toBe(null);
  });
});

describe('fetchRecording', () => {
  const answer = (body: string, init: ResponseInit) =>
    vi.stubGlobal('fetch', async () => new Response(body, init));
  const load = () => fetchRecording('equivalence', 'https://site.example/lab/equivalence.json');

  it('takes a file that is not there for no recording, however the host says so', async () => {
    answer('not found', { status: 404 });
    expect(await load()).toBe(null);
    answer('<!doctype html>', { status: 200 });
    expect(await load()).toBe(null);
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('offline')));
    expect(await load()).toBe(null);
    expect(await fetchRecording('equivalence', null)).toBe(null);
    vi.unstubAllGlobals();
  });

  it('reads one that is there', async () => {
    answer(writeRecording('equivalence', await recording()), { status: 200 });
    expect((await load())?.sequences).toBe(24);
    vi.unstubAllGlobals();
  });
});

type Kinds = Map<string, Set<string>>;

/** What a value is made of: of every path the kinds that stand there, elements of a list taken together. */
function kindsOf(value: unknown, path = '', found: Kinds = new Map()): Kinds {
  const add = (kind: string) => found.set(path, (found.get(path) ?? new Set()).add(kind));
  if (value === null) add('null');
  else if (ArrayBuffer.isView(value)) add(value.constructor.name);
  else if (Array.isArray(value)) {
    add('list');
    for (const one of value) kindsOf(one, `${path}[]`, found);
  } else if (typeof value === 'object') {
    add('object');
    for (const [key, field] of Object.entries(value)) kindsOf(field, `${path}.${key}`, found);
  } else add(typeof value);
  return found;
}

/** Where something stands in `a` and something else, or nothing, in `b`; what is null in `b` may be anything. */
function differing(a: Kinds, b: Kinds): string[] {
  const parent = (path: string) => path.replace(/(\[\]|\.[^.[\]]*)$/, '');
  const open = (path: string): boolean => {
    const kinds = b.get(path);
    if (kinds === undefined) return path !== '' && open(parent(path));
    return kinds.has('null') || (kinds.has('list') && !b.has(`${path}[]`));
  };
  return [...a].flatMap(([path, kinds]) => {
    const own = [...kinds].filter((kind) => kind !== 'null');
    const other = b.get(path);
    const same = other === undefined ? own.length === 0 : own.every((kind) => other.has(kind));
    return same || open(path) ? [] : [`${path}: ${own.join(' or ')}`];
  });
}

const RENEW = 'recorded by another version of the experiment: npm run record renews it';

describe('the recordings that ship', () => {
  const folder = new URL('../recorded/', import.meta.url);
  const names = readdirSync(folder).map((file) => file.replace('.json', ''));
  const read = <N extends RecordedName>(name: N) =>
    readRecording(name, readFileSync(new URL(`${name}.json`, folder), 'utf8'));
  /** With a sampler, entropies, rewards: what a policy's run or a full file has. */
  const rollouts = (): Rollouts => {
    const made = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 24, groupSize: 4, sigma: 0.2 });
    return { ...made, logpSampler: made.logpOld.map((x, t) => x - 0.01 * (t % 3)) };
  };

  it('are one of every experiment, and a response', () => {
    expect(names.sort()).toEqual([...EXPERIMENT_IDS, 'response'].sort());
  });

  it.each(EXPERIMENT_IDS)(
    '%s was asked as its page asks, and is made as today’s answer is',
    async (id) => {
      const recorded = read(id);
      const settings = experimentSettings(id, pageDefaults(id))?.settings;
      expect(recorded?.asked, RENEW).toEqual(settings);
      const run = EXPERIMENTS[id].run as (typeof EXPERIMENTS)[ExperimentId]['run'];
      const fresh = await run(rollouts(), settings as never, { kernels: cpuKernels, seed: 1 });
      const [then, now] = [kindsOf(recorded?.result), kindsOf(decode(encode(fresh)))];
      expect([...differing(then, now), ...differing(now, then)], RENEW).toEqual([]);
    },
  );

  it('the response has a name and two log-probs for every token', () => {
    expect(read('response')?.result.tokens.length).toBe(read('response')?.result.length);
  });
});
