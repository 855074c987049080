import { describe, expect, test } from 'vitest';
import { localFiles } from '../../../scripts/node/ort';
import type { PolicyManifest } from '../../policy/manifest';
import { SHIPPED_RACE } from '../../settings/training';
import { FetchError, type FileSource } from '../../policy/fetch';
import { fetchShippedRace } from './shipped-race';

const json = async (path: string): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode(await localFiles(`arithmetic-dense/${path}`)));
const policy = (await json('lab.json')) as PolicyManifest;

/** @param change of the text of one file */
const changed =
  (name: string, change: (text: string) => string): FileSource =>
  async (path) => {
    const bytes = await localFiles(path);
    if (!path.endsWith(name)) return bytes;
    return new TextEncoder().encode(change(new TextDecoder().decode(bytes)));
  };

describe('the race that ships', () => {
  test('has every step of every racer, in the racers’ order', async () => {
    const race = await fetchShippedRace(localFiles, policy);
    expect(race?.settings.racers).toEqual(SHIPPED_RACE.racers);
    expect(race?.reports.map((steps) => steps.length)).toEqual([200, 200]);
    const start = policy.checkpoints.find(({ id }) => id === policy.races?.[0]?.start);
    for (const [k, file] of ['gspo', 'grpo'].entries()) {
      const [first, ...steps] = race?.reports[k] ?? [];
      const { heldOutBefore, ...written } = first ?? {};
      expect(heldOutBefore?.interval).toEqual(start?.accuracyInterval);
      expect((heldOutBefore?.correct ?? NaN) / (heldOutBefore?.prompts ?? NaN)).toBeCloseTo(
        start?.accuracy ?? NaN,
        9,
      );
      expect(await json(`training/${file}.json`)).toMatchObject({ steps: [written, ...steps] });
    }
  });

  test('is none where there is none, where a file is missing or cut, or where two are of different races', async () => {
    expect(await fetchShippedRace(localFiles, { ...policy, races: [] })).toBe(null);
    const gone: FileSource = () => Promise.reject(new FetchError('HTTP status 404.'));
    expect(await fetchShippedRace(gone, policy)).toBe(null);
    const cut = changed('gspo.json', (text) => text.slice(0, -100));
    expect(await fetchShippedRace(cut, policy)).toBe(null);
    const other = changed('grpo.json', (text) =>
      text.replace('"seed":1', '"seed":2').replace('"seed": 1', '"seed": 2'),
    );
    expect(await fetchShippedRace(other, policy)).toBe(null);
    const twice = changed('grpo.json', (text) => text.replace(/"racer": ?1/, '"racer":0'));
    expect(await fetchShippedRace(twice, policy)).toBe(null);
  });
});
