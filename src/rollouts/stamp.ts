/**
 * Where an exported file comes from: what a stranger needs to make the same numbers again, or to see that
 * theirs differ. Contract: every export carries a stamp; what is not known is null, never made up.
 */
import * as v from 'valibot';
import { runSettingsSchema } from '../settings/run';

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

export const stampSchema = v.object({
  /** version of GSPO Lab that wrote the file */
  app: text(64),
  /** ISO 8601, UTC */
  exportedAt: text(40),
  /** what the data is: a source of the lab, or the names of files */
  source: text(4096),
  /** address that opens the experiment again; null where there is none, as for files */
  link: v.nullable(text(65_536)),
  /** of the run; null for files */
  seed: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  settings: v.nullable(runSettingsSchema),
  /** files of the policies that took part, and their SHA-256 */
  policies: v.pipe(v.array(v.object({ name: text(256), sha256 })), v.maxLength(64)),
  /** where it ran; null: not known */
  backend: v.nullable(
    v.object({
      policy: v.picklist(['webgpu', 'wasm']),
      kernels: v.picklist(['webgpu', 'cpu']),
      adapter: text(512),
      threads: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    }),
  ),
});

export type Stamp = v.InferOutput<typeof stampSchema>;
