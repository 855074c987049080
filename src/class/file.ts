/**
 * A run of one seat as a small file, or as a text that a QR code holds: the class's link, the seat, which backend, the
 * estimates of the page's claims, and hashes. Contract: what `readClassFile` returns has passed the schema and its own
 * hash; whatever else a file holds is refused with a sentence. A file names no person and no machine.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { deflateSync, inflateSync, strFromU8 } from 'fflate';
import * as v from 'valibot';
import type { Claim } from '../experiments/experiment';
import { isExperimentId } from '../experiments/manifest';
import { fromBase64Url, toBase64Url } from '../link/bytes';
import type { Fingerprint } from '../link/fingerprint';
import { openLink, seatOf, withoutSeat, writeLink, type Link } from '../link/link';
import { MOST_SEATS, seatSeed } from '../link/seat';

/** of a file, bytes; a run's is 1 to 3 kB */
export const MAX_CLASS_FILE = 32_768;
const TEXT = 'GSPOCLASS1:';

const finite = v.pipe(v.number(), v.finite());
const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const word = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1));

const estimateSchema = v.strictObject({
  /** of the claim */
  id: v.pipe(v.string(), v.regex(/^[a-z]+\.[a-z-]{1,40}$/)),
  /** on the claim's working scale */
  estimate: finite,
  standardError: v.pipe(finite, v.minValue(0)),
  /** prompts */
  clusters: amount,
  df: v.pipe(finite, v.minValue(0)),
  /** responses to a prompt, where the scale depends on it */
  size: v.pipe(finite, v.minValue(0)),
  /** the page's own interval, on the claim's scale: valid at every look */
  interval: v.nullable(v.tuple([finite, finite])),
});
export type ClassEstimate = v.InferOutput<typeof estimateSchema>;

const contents = {
  kind: v.literal('gspo-lab-class'),
  version: v.literal(1),
  /** of the lab */
  app: v.pipe(v.string(), v.regex(/^[0-9a-z.+-]{1,32}$/)),
  /** `#/PAGE?...` that the class was given: without a seat, whatever the backend */
  link: v.pipe(v.string(), v.startsWith('#/'), v.maxLength(4096)),
  seat: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_SEATS)),
  /** of the run: that of the seat */
  seed: word,
  backend: v.strictObject({
    policy: v.nullable(v.picklist(['webgpu', 'wasm'])),
    kernels: v.picklist(['webgpu', 'cpu']),
  }),
  responses: amount,
  tokens: amount,
  /** hash of every sampled token, or log-ratio (`link/fingerprint`) */
  rollouts: v.tuple([word, word]),
  /** first 32 bits of the hash of the claims */
  claims: v.nullable(word),
  /** first 32 bits of the SHA-256 of graph, old and new checkpoint; null: no policy took part */
  policies: v.nullable(v.tuple([word, word, word])),
  estimates: v.pipe(v.array(estimateSchema), v.maxLength(16)),
};
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/));
const classFileSchema = v.strictObject({ ...contents, hash });
export type ClassFile = v.InferOutput<typeof classFileSchema>;
type Contents = Omit<ClassFile, 'hash'>;

/** 64 bits of the SHA-256 of all else: finds damage and duplicates, keeps no secret. */
function hashOf({ estimates, backend, ...rest }: Contents): string {
  const canonical = JSON.stringify([
    ...Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)),
    [backend.policy, backend.kernels],
    estimates.map((e) => [e.id, e.estimate, e.standardError, e.clusters, e.df, e.size, e.interval]),
  ]);
  return bytesToHex(sha256(utf8ToBytes(canonical))).slice(0, 16);
}

/** The link that a class shares: no seat, and each on the backend that it has. */
export function classLink(link: Link): string {
  const shared = withoutSeat(link);
  const run = { ...shared.run, backend: 'auto' as const };
  return writeLink(
    { ...shared, run, embed: false, hide: [], figure: '', lang: 'own' },
    { dated: true },
  );
}

/** What a class's run can't be, as a sentence; null where it can. */
export function whyNoClassFile(link: Link): string | null {
  if (!isExperimentId(link.page)) return 'This page measures nothing of a run.';
  if (link.run.source.kind === 'models') {
    return 'A run of models of other people starts from texts, the same for every seat.';
  }
  return seatOf(link) === null
    ? 'The link in view has no seat: it is one of a class’s links.'
    : null;
}

export interface ClassRun {
  app: string;
  /** with its seat */
  link: Link;
  backend: ClassFile['backend'];
  fingerprint: Fingerprint;
  claims: readonly Claim[];
}

/** @throws RangeError where `whyNoClassFile` has a reason */
export function makeClassFile({ app, link, backend, fingerprint, claims }: ClassRun): ClassFile {
  const why = whyNoClassFile(link);
  const seat = seatOf(link);
  if (why !== null || seat === null) throw new RangeError(why ?? 'The link has no seat.');
  const { policies } = fingerprint;
  const made: Contents = {
    kind: 'gspo-lab-class',
    version: 1,
    app,
    link: classLink(link),
    seat: seat.number,
    seed: link.run.source.seed,
    backend: link.run.source.kind === 'synthetic' ? { ...backend, policy: null } : backend,
    responses: fingerprint.sequences,
    tokens: fingerprint.tokens,
    rollouts: fingerprint.hash,
    claims: fingerprint.claims,
    policies: policies && [policies.onnx, policies.old, policies.new],
    estimates: claims.flatMap(({ id, working, interval }) =>
      working !== null &&
      Number.isFinite(working.estimate) &&
      Number.isFinite(working.standardError)
        ? [
            {
              id,
              estimate: working.estimate,
              standardError: working.standardError,
              clusters: working.clusters,
              // JSON has no infinity; beyond a million Student's t is the normal
              df: Math.min(working.df, 1e9),
              size: working.size,
              interval: interval?.every(Number.isFinite) ? interval : null,
            },
          ]
        : [],
    ),
  };
  return { ...made, hash: hashOf(made) };
}

export const classFileName = ({ seat }: Pick<ClassFile, 'seat'>): string =>
  `gspo-lab-class-seat-${String(seat).padStart(2, '0')}.json`;

/** For a QR code, a chat or a mail: some 600 characters, no line breaks. */
export const classText = (file: ClassFile): string =>
  TEXT + toBase64Url(deflateSync(utf8ToBytes(JSON.stringify(file)), { level: 9 }));

export type ReadClassFile = { file: ClassFile; link: Link } | { refused: string };

const refused = (why: string) => ({ refused: why });

function jsonOf(text: string): string | null {
  if (!text.startsWith(TEXT)) return text;
  const packed = fromBase64Url(text.slice(TEXT.length));
  if (packed === null) return null;
  try {
    const out = inflateSync(packed, { out: new Uint8Array(MAX_CLASS_FILE) });
    return strFromU8(out);
  } catch {
    return null;
  }
}

/** @param text a class file, or the text of one */
export function readClassFile(text: string): ReadClassFile {
  if (text.length > MAX_CLASS_FILE) {
    return refused(`It is longer than a class file can be (${MAX_CLASS_FILE / 1024} kB).`);
  }
  const json = jsonOf(text.trim());
  if (json === null) return refused('The text is damaged or cut short: copy or scan it again.');
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return refused(
      'It is no class file: it is not JSON. Class files come from “Share” on a student’s page.',
    );
  }
  const checked = v.safeParse(classFileSchema, parsed);
  if (!checked.success) {
    const [issue] = checked.issues;
    const version = v.safeParse(
      v.object({ kind: v.literal('gspo-lab-class'), version: v.number() }),
      parsed,
    );
    if (version.success && version.output.version > 1) {
      return refused(
        `It is of version ${version.output.version}, made by a newer lab; this one reads version 1.`,
      );
    }
    return refused(
      version.success
        ? `Its “${v.getDotPath(issue) ?? 'contents'}” is not what a class file has. Save it again on the student’s page.`
        : 'It is no class file: another kind of JSON. Class files come from “Share” on a student’s page.',
    );
  }
  const { hash: said, ...rest } = checked.output;
  if (hashOf(rest) !== said) {
    return refused('It has been changed since it was saved: its hash does not fit. Save it again.');
  }
  const { link, problems } = openLink(rest.link);
  if (problems.length > 0) return refused(`Its link cannot be opened whole. ${problems.join(' ')}`);
  if (!isExperimentId(link.page) || classLink(link) !== rest.link) {
    return refused('Its link is not one that a class is given.');
  }
  if (seatSeed({ number: rest.seat, of: link.run.source.seed }) !== rest.seed) {
    return refused(`Its seed is not that of seat ${rest.seat}.`);
  }
  return { file: checked.output, link };
}
