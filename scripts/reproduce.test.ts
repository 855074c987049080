/** The command as a person runs it, with a tiny policy in the place of the shipped ones. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyPolicy } from '../models/build/tiny';
import type { PolicyManifest } from '../src/policy/manifest';
import { nodeClient } from './node/client';
import { main } from './reproduce';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reproduce-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A site that ships the tiny policy with these pairs. */
async function tinyClient(pairs: PolicyManifest['reproducePairs']) {
  const { files, manifest } = await tinyPolicy();
  const listed = new TextEncoder().encode(JSON.stringify({ ...manifest, reproducePairs: pairs }));
  return nodeClient(async (path, ...rest) =>
    path === 'tiny/lab.json' ? listed : files(path, ...rest),
  );
}

async function run(argv: string[], pairs?: PolicyManifest['reproducePairs']) {
  const out: string[] = [];
  const errors: string[] = [];
  const client = await tinyClient(pairs);
  const status = await main(
    argv,
    (line) => out.push(line),
    (line) => errors.push(line),
    () => client,
  );
  return { status, out: out.join('\n'), errors: errors.join('\n') };
}

const number = v.pipe(v.number(), v.finite());
const ledgerSchema = v.object({
  app: v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/)),
  seed: v.literal(7),
  backend: v.literal('wasm'),
  adapter: v.string(),
  policies: v.array(
    v.object({ name: v.string(), sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  ),
  claims: v.array(
    v.object({
      id: v.pipe(v.string(), v.regex(/^[a-z]+\.[a-z0-9-]+$/)),
      claim: v.string(),
      prediction: v.nullable(number),
      measured: v.nullable(number),
      interval: v.nullable(v.tuple([number, number])),
      n: v.pipe(v.number(), v.safeInteger()),
      verdict: v.picklist(['holds', 'fails', 'departs', 'undecided', 'not applicable']),
      pair: v.string(),
      experiment: v.string(),
    }),
  ),
});

describe('npm run reproduce', () => {
  it('writes and prints one ledger over the pairs that the policies name', async () => {
    const json = join(folder, 'ledger.json');
    const pairs = [
      { id: 'there', title: 'There', old: 'a', new: 'b' },
      { id: 'back', title: 'And back', old: 'b', new: 'a' },
    ];
    const { status, out } = await run(['--quick', '--seed', '7', '--json', json], pairs);
    expect(status).toBe(0);
    const ledger = v.parse(ledgerSchema, JSON.parse(await readFile(json, 'utf8')));
    expect(ledger.policies.map(({ name }) => name)).toEqual(['tiny', 'tiny/a', 'tiny/b']);
    const of = (pair: string) => ledger.claims.filter((claim) => claim.pair === pair);
    expect(of('tiny-there').map(({ id }) => id)).toEqual(of('tiny-back').map(({ id }) => id));
    expect(new Set(of('tiny-there').map(({ experiment }) => experiment))).toEqual(
      new Set(['equivalence', 'variance', 'dependence', 'weights', 'length']),
    );
    expect(of('tiny-there').length * 2).toBe(ledger.claims.length);
    expect(of('tiny-there')).not.toEqual(
      of('tiny-back').map((c) => ({ ...c, pair: 'tiny-there' })),
    );
    for (const { verdict, id } of ledger.claims)
      expect(out).toContain(`${verdict.padEnd(8)} ${id}`);
    for (const { sha256 } of ledger.policies) expect(out).toContain(sha256);
  });

  it('reproduces one pair where one is named', async () => {
    const pairs = [
      { id: 'there', title: 'There', old: 'a', new: 'b' },
      { id: 'back', title: 'And back', old: 'b', new: 'a' },
    ];
    const { status, out } = await run(['--quick', '--pair', 'tiny-back'], pairs);
    expect(status).toBe(0);
    expect(out).toContain('And back (tiny-back): tiny, b -> a');
    expect(out).not.toContain('There (tiny-there)');

    const unknown = await run(['--quick', '--pair', 'near'], pairs);
    expect(unknown.status).toBe(2);
    expect(unknown.errors).toContain(
      'There is no pair "near" here. There are: tiny-there, tiny-back.',
    );
  });

  it.each([
    [['--backend', 'cuda'], '--backend takes webgpu or wasm, not "cuda".'],
    [['--seed', '1.5'], '--seed takes a whole number from 0 to 4294967295, not "1.5".'],
    [['--json', '/nowhere/at/all.json'], '/nowhere/at cannot be written to'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j ends with status 2 and a sentence', async (argv, words) => {
    const { status, out, errors } = await run(argv);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(errors).toContain(words);
  });

  it('ends with status 2 where the policy cannot be had', async () => {
    const { status, errors } = await run(
      ['--quick'],
      [{ id: 'gone', title: 'Gone', old: 'a', new: 'c' }],
    );
    expect(status).toBe(2);
    expect(errors).toMatch(/^reproduce: .*"c"/m);
  });
});
