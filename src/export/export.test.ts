import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, DEFAULT_SYNTHETIC } from '../settings/run';
import { fromBlob } from '../rollouts/file/bytes';
import { readRolloutFiles } from '../rollouts/file/read';
import { concatRollouts, type Rollouts } from '../rollouts/rollouts';
import { syntheticRollouts } from '../rollouts/synthetic';
import { csvHead, float32Text, labelCell, numberCell, tableCsv, textCell } from './csv';
import { sequencesCsv, tokensCsv } from './rollouts-csv';
import { isRunFile, readRunFile } from '../rollouts/file/formats/run';
import { runJson, type RunFileHead } from './run-json';
import type { Stamp } from './stamp';

const STAMP: Stamp = {
  app: '0.1.0',
  exportedAt: '2026-01-02T03:04:05.000Z',
  source: 'policies',
  link: 'https://lab.example/#/equivalence?v=1&alpha=0.5',
  seed: 7,
  settings: DEFAULT_SETTINGS,
  policies: [{ name: 'tiny/checkpoints/a', sha256: 'ab'.repeat(32) }],
  backend: { policy: 'wasm', kernels: 'cpu', adapter: 'no GPU, "none"', threads: 4 },
};
const HEAD: RunFileHead = { name: 'my run', stamp: STAMP, totalSequences: 3 };

/** Two groups, three responses, every hard text: formula, comment sign, quotes, line ends, half a pair. */
const HARD: Rollouts = {
  offsets: Uint32Array.of(0, 2, 3, 5),
  tokenIds: Int32Array.of(0, 1, 2, 3, 4),
  logpOld: Float32Array.of(-0.1, -1e-7, -12.5, -0.33333334, -3),
  logpNew: Float32Array.of(-0.2, 0, -12.25, -0.3, -0.7),
  entropyOld: Float32Array.of(0.1, 0.2, 0.3, NaN, 0.5),
  group: Uint32Array.of(0, 0, 1),
  reward: Float64Array.of(1, 0.1, NaN),
  advantage: Float64Array.of(0.7071067811865475, -0.5, 0.25),
  finished: Uint8Array.of(1, 0, 1),
  prompts: ['=1+1', 'say "hi", # or\r\nnot'],
  vocabulary: ['=', '#', '"', '\n', '\ud83d'],
};

const file = (text: string, name = 'run.json') => fromBlob(name, new Blob([text]));
const jsonOf = (rollouts: Rollouts) => [...runJson(rollouts, HEAD)].join('');

/** RFC 4180, comment lines left out where they begin a line outside quotes: what pandas' C parser does. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const row: string[] = [];
  let cell = '';
  let inQuotes = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inQuotes) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else inQuotes = false;
    } else if (c === '#') {
      if (row.length > 0 || cell !== '') throw new Error('a comment in the middle of a line');
      i = text.indexOf('\n', i);
    } else if (c === '"') inQuotes = true;
    else if (c === ',' || c === '\n') {
      row.push(cell);
      cell = '';
      if (c === '\n') rows.push(row.splice(0));
    } else if (c !== '\r') cell += c;
  }
  return rows;
}

const byName = (rows: string[][]) => {
  const [head, ...body] = rows;
  return body.map((row) => Object.fromEntries(row.map((cell, k) => [head?.[k] ?? '', cell])));
};

describe('numbers in files', () => {
  it('read back as the same float32 and float64', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.fround(Number(float32Text(x)))).toBe(x + 0);
      }),
      { numRuns: 2000 },
    );
    expect(float32Text(Math.fround(0.1))).toBe('0.1');
    expect(numberCell(0.1 + 0.2)).toBe('0.30000000000000004');
    expect([NaN, Infinity, -Infinity, null].map((x) => numberCell(x))).toEqual([
      '',
      'inf',
      '-inf',
      '',
    ]);
  });
});

describe('texts in CSV', () => {
  it('come back exactly, whatever they are, and are no formula and no comment', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 24 }), (text) => {
        const [[cell]] = parseCsv(`${textCell(text)}\r\n`) as [[string]];
        expect(JSON.parse(cell)).toBe(text);
        expect(cell.startsWith('"')).toBe(true);
        expect(textCell(text)).not.toMatch(/[\r\n]/);
      }),
    );
    expect(labelCell('=SUM(A1)')).toBe(' =SUM(A1)');
    expect(labelCell('-1.5')).toBe('-1.5');
  });

  it('have the stamp above them, one line each, even where a file name holds a line end', () => {
    const head = csvHead('what', { ...STAMP, source: 'a\r\nlog_s,1' }, ['x']);
    expect(head).toContain('# link: https://lab.example/#/equivalence?v=1&alpha=0.5\r\n');
    expect(head).toContain(`# sha256 tiny/checkpoints/a: ${'ab'.repeat(32)}\r\n`);
    expect(head).toContain('# seed: 7\r\n');
    expect(parseCsv(head)).toEqual([['x']]);
  });

  it('shows the numbers of a figure’s table as programs write them', () => {
    const text = tableCsv(
      't',
      null,
      ['a', 'b'],
      [
        ['−1.25 × 10⁻¹²', '[1, 2]'],
        ['12,345', '0.50 %'],
      ],
    );
    expect(parseCsv(text)).toEqual([
      ['a', 'b'],
      ['-1.25e-12', '[1, 2]'],
      ['12345', '0.50 %'],
    ]);
  });
});

describe('rollouts as CSV', () => {
  it('has a line per response, with weights that agree with the tokens', () => {
    const rows = byName(parseCsv([...sequencesCsv(HARD, STAMP)].join('')));
    expect(rows).toHaveLength(3);
    expect(rows.map((row) => JSON.parse(row['prompt'] ?? '') as string)).toEqual([
      HARD.prompts[0],
      HARD.prompts[0],
      HARD.prompts[1],
    ]);
    expect(JSON.parse(rows[0]?.['response'] ?? '')).toBe('=#');
    expect(Number(rows[1]?.['log_s'])).toBe(0.25);
    expect(Number(rows[2]?.['log_rho'])).toBeCloseTo(0.33333334 - 0.3 + 2.3, 6);
    expect(Number(rows[2]?.['ppl_old']) / Number(rows[2]?.['ppl_new'])).toBeCloseTo(
      Number(rows[2]?.['s']),
      12,
    );
    expect(rows.map((row) => row['reward'])).toEqual(['1', '0.1', '']);
    expect(rows.map((row) => row['finished'])).toEqual(['1', '0', '1']);
  });

  it('has a line per token, whose numbers are the float32 themselves', () => {
    const rows = byName(parseCsv([...tokensCsv(HARD, STAMP)].join('')));
    expect(rows.map((row) => [row['sequence'], row['position']].join())).toEqual([
      '0,1',
      '0,2',
      '1,1',
      '2,1',
      '2,2',
    ]);
    expect(Float32Array.from(rows, (row) => Number(row['logp_old']))).toEqual(HARD.logpOld);
    expect(rows.map((row) => JSON.parse(row['token'] ?? '') as string)).toEqual(HARD.vocabulary);
    expect(rows[3]?.['entropy_old']).toBe('');
  });
});

describe('a run as JSON', () => {
  it('comes back bit for bit, with its head', async () => {
    const text = jsonOf(HARD);
    expect(await isRunFile(file(text))).toBe(true);
    const { rollouts, ...head } = await readRunFile(file(text));
    expect(rollouts).toEqual(HARD);
    expect(head).toMatchObject(HEAD);
  });

  it('keeps float64, token texts, sampler log-probs and many responses', async () => {
    const drawn = syntheticRollouts({ ...DEFAULT_SYNTHETIC, prompts: 40, groupSize: 3 });
    const base = concatRollouts([drawn, drawn]);
    const n = base.logpOld.length;
    const full: Rollouts = {
      ...base,
      logpOld: Float64Array.from(base.logpOld, (x) => x * (1 + 2 ** -40)),
      logpSampler: Float32Array.from(base.logpOld),
      tokenTexts: Array.from({ length: n }, (_, t) => `<${t}>`),
    };
    expect((await readRunFile(file(jsonOf(full)))).rollouts).toEqual(full);
  });

  it('is read by the general reader of rollout files too', async () => {
    const usable = { ...HARD, reward: Float64Array.of(1, 0.1, 2) };
    const read = await readRolloutFiles([file(jsonOf(usable))]);
    expect(read.rollouts.offsets).toEqual(HARD.offsets);
    expect(Float32Array.from(read.rollouts.logpNew)).toEqual(HARD.logpNew);
    expect(read.rollouts.finished).toEqual(HARD.finished);
  });

  it('is read gzipped', async () => {
    const zipped = new Blob([jsonOf(HARD)]).stream().pipeThrough(new CompressionStream('gzip'));
    const blob = await new Response(zipped).blob();
    const gz = fromBlob('run.json.gz', blob);
    expect(await isRunFile(gz)).toBe(true);
    expect((await readRunFile(gz)).rollouts).toEqual(HARD);
  });

  const changed = (change: (document: Record<string, unknown>) => void) => {
    const document = JSON.parse(jsonOf(HARD)) as Record<string, unknown>;
    change(document);
    return readRunFile(file(JSON.stringify(document)));
  };
  const record = (document: Record<string, unknown>, i: number) =>
    (document['rollouts'] as Record<string, unknown>[])[i];

  it.each<[string, (document: Record<string, unknown>) => void, RegExp]>([
    ['another version', (d) => (d['version'] = 2), /"version": is 2; this lab reads version 1/],
    ['a training run', (d) => (d['kind'] = 'training'), /"kind"/],
    ['no responses', (d) => (d['rollouts'] = []), /"rollouts"/],
    ['a stamp that is none', (d) => (d['stamp'] = { app: 1 }), /"stamp\./],
    [
      'settings beyond their limits',
      (d) =>
        ((d['stamp'] as Stamp).settings = {
          backend: 'auto',
          source: { ...DEFAULT_SYNTHETIC, sigma: 99 },
        }),
      /"stamp\.settings\.source\.sigma"/,
    ],
    [
      'a column cut short',
      (d) => (record(d, 2)['entropy_old'] = [1]),
      /item 3, field "entropy_old": has 1 entries, but "logp_old" has 2/,
    ],
    [
      'a text for a number',
      (d) => (record(d, 1)['entropy_old'] = ['x']),
      /item 2, field "entropy_old\[0\]"/,
    ],
    ['a missing column', (d) => delete record(d, 0)['logp_new'], /item 1, field "logp_new"/],
    ['a group out of order', (d) => (record(d, 1)['group'] = 5), /item 2, field "group"/],
  ])('refuses %s by name', async (_what, change, sentence) => {
    await expect(changed(change)).rejects.toThrow(sentence);
  });

  it('refuses a file that was cut', async () => {
    await expect(readRunFile(file(jsonOf(HARD).slice(0, 700)))).rejects.toThrow(
      /not valid JSON.*cut/,
    );
  });

  it('is told from other files', async () => {
    expect(await isRunFile(file('{"rollouts": []}'))).toBe(false);
    expect(await isRunFile(file('{"format": "other"}'))).toBe(false);
    expect(await isRunFile(file(''))).toBe(false);
  });
});
