/** Class files of real runs of the engine, pooled; and files as nobody should hand them in. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../scripts/class';
import { tinyPolicy } from '../../models/build/tiny';
import { nodeClient } from '../../scripts/node/client';
import { classFileName, classText, MAX_CLASS_FILE, readClassFile, type ClassFile } from './file';
import { classClaim, classClaims, gather, type Handed } from './gather';

const LINK = '#/variance?v=3&source=synthetic&prompts=48&maxLength=48';
let folder: string;
let files: Handed[];

async function run(...argv: string[]) {
  const errors: string[] = [];
  const { files: tiny } = await tinyPolicy();
  const lab = () => nodeClient(tiny);
  const status = await main(
    argv,
    () => undefined,
    (line) => errors.push(line),
    lab,
  );
  return { status, errors: errors.join('\n') };
}

async function filesIn(of: string): Promise<Handed[]> {
  const names = (await readdir(of)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(of, name), 'utf8') })),
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'class-'));
  expect(await run('--seats', '30', LINK, '--out', join(folder, 'thirty'))).toMatchObject({
    status: 0,
  });
  files = await filesIn(join(folder, 'thirty'));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const text = (i: number): string => files[i]?.text ?? '';
const parsed = (i: number): ClassFile => JSON.parse(text(i)) as ClassFile;

describe('thirty class files', () => {
  it('are small, each of a seat, and pool to the truth', () => {
    expect(files).toHaveLength(30);
    for (const { text: own } of files) expect(own.length).toBeLessThan(3000);
    const { link, files: kept, refused } = gather(files);
    expect(refused).toEqual([]);
    expect(kept.map(({ seat }) => seat)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    if (link === null) throw new Error('no link');
    expect(classClaims(link).map(({ id }) => id)).toContain('variance.level');
    const level = classClaim('variance.level', kept, link);
    expect(level.truth).toBe(1);
    expect(level.pool.against).toBe('truth');
    expect(level.pool.covered?.of).toBe(30);
    expect(level.pool.covered?.hits).toBeGreaterThan(25);
    const { estimate, interval } = level.pool.pooled ?? { estimate: 0, interval: [0, 0] };
    // thirty seats know it √30 times as well as one
    expect(Math.abs(estimate - 1)).toBeLessThan(0.05);
    expect(interval[1] - interval[0]).toBeLessThan(0.08);
    // the page's own intervals are valid at every look, and wider
    level.pool.seats.forEach(({ interval: own }, i) => {
      const page = level.page[i];
      expect(page && own && page[0] < own[0] && page[1] > own[1]).toBe(true);
    });
  });

  it('go through a text that a QR code holds', () => {
    const packed = classText(parsed(4));
    expect(packed.length).toBeLessThan(1200);
    expect(readClassFile(` ${packed}\n`)).toEqual(readClassFile(text(4)));
    expect(readClassFile(packed.slice(0, -30))).toHaveProperty('refused');
  });

  it('are refused by name: again, of one seat, of other settings, changed, of a wrong seat', () => {
    const other = (change: Partial<ClassFile>) => JSON.stringify({ ...parsed(6), ...change });
    const bad: Handed[] = [
      // first, so that it could set the class's settings if order counted
      { name: 'own.json', text: '{"seat":3}' },
      ...files,
      { name: 'again.json', text: text(2) },
      { name: 'changed.json', text: other({ responses: 9 }) },
      { name: 'newer.json', text: text(0).replace('"version":1', '"version":2') },
      { name: 'words.json', text: 'hello' },
      { name: 'long.json', text: 'x'.repeat(MAX_CLASS_FILE + 1) },
    ];
    const { files: kept, refused } = gather(bad);
    expect(kept).toHaveLength(30);
    const why = Object.fromEntries(refused.map(({ name, why: own }) => [name, own]));
    expect(why['again.json']).toBe(`The same file as ${classFileName({ seat: 3 })}.`);
    expect(why['changed.json']).toContain('hash does not fit');
    expect(why['newer.json']).toContain('version 2');
    expect(why['words.json']).toContain('not JSON');
    expect(why['own.json']).toContain('another kind of JSON');
    expect(why['long.json']).toContain('longer than a class file');
  });

  it('of other settings are named by what differs; a policy’s run pools against the others', async () => {
    const strange = join(folder, 'strange');
    await run('--seats', '1', `${LINK}&sigma=0.3&curve=natural`, '--out', strange);
    const [alien] = await filesIn(strange);
    const { refused, link } = gather([{ name: 'alien.json', text: alien?.text ?? '' }, ...files]);
    expect(link?.run.source).toMatchObject({ sigma: 0.1 });
    expect(refused).toEqual([
      { name: 'alien.json', why: expect.stringContaining('σ 0.3 instead of 0.1') as string },
    ]);

    const tiny = join(folder, 'tiny');
    const link2 = '#/variance?v=3&policy=tiny&old=a&new=b&prompts=24&groupSize=4&budget=0';
    expect(await run('--seats', '4', link2, '--out', tiny)).toEqual({ status: 0, errors: '' });
    const own = gather(await filesIn(tiny));
    expect(own.files).toHaveLength(4);
    expect(own.files[0]?.backend.policy).toBe('wasm');
    expect(own.files[0]?.policies).not.toBeNull();
    if (own.link === null) throw new Error('no link');
    const level = classClaim('variance.level', own.files, own.link);
    expect(level.truth).toBeNull();
    expect(level.pool.against).toBe('others');
  }, 120_000);
});

describe('npm run class', () => {
  it.each([
    [['--out', 'x'], 'One link and --out'],
    [['#/variance'], 'One link and --out'],
    [['#/variance', '--out', 'x', '--seats', '0'], 'a whole number from 1 to 999'],
    [['#/glossary', '--out', 'x'], 'measures nothing of a run'],
    [['#/variance?v=3&sigma=x', '--out', 'x'], 'sigma'],
  ])('refuses %j with a sentence', async (argv, words) => {
    const { status, errors } = await run(...argv);
    expect(status).toBe(2);
    expect(errors).toContain(words);
  });
});
