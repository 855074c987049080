/**
 * A model that the lab has not trained, for tests: where somebody has laid such models beside the project
 * (`FOREIGN_MODELS`, or `shared/foreign` above it), theirs; else a shipped policy in the same layout.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const PLACES = [
  process.env['FOREIGN_MODELS'] ?? '',
  join(ROOT, '..', 'shared', 'foreign', 'hub'),
  join(ROOT, '..', '..', 'shared', 'foreign', 'hub'),
];

export interface ForeignModel {
  name: string;
  /** false: a policy of the lab stands in for it */
  foreign: boolean;
  files: Map<string, Uint8Array<ArrayBuffer>>;
}

export function foreignModel(name = 'stories260k'): ForeignModel {
  const folder = PLACES.filter((place) => place !== '')
    .map((place) => join(place, name))
    .find((place) => existsSync(join(place, 'config.json')));
  const from = folder ?? join(ROOT, 'models', 'arithmetic-dense');
  const paths = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .map((path) => relative(from, join(from, path)))
    .filter((path) => /^(onnx\/)?[^/]+\.(json|onnx)$/.test(path))
    .filter((path) => statSync(join(from, path)).isFile());
  return {
    name: folder === undefined ? 'arithmetic-dense' : name,
    foreign: folder !== undefined,
    files: new Map(paths.map((path) => [path, new Uint8Array(readFileSync(join(from, path)))])),
  };
}
