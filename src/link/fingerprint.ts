/**
 * What a finished run found, small enough for a link: which policy files, a hash of every sampled token,
 * a few check bits per response, the headline figures, and by which claims they were judged. Whoever repeats
 * the run compares.
 *
 * What is hashed: for a policy pair the sampled token ids, response by response. Synthetic rollouts have
 * no tokens; there it is the log-ratios, rounded to 1e-5 nats so that a last bit of `Math.log` does not
 * matter. The hash is for finding differences, not for keeping secrets: 64 bits of MurmurHash3.
 *
 * Check bits say *which* responses differ where the hash does. A link has room for CHECK_BITS of them: up
 * to 8 per response; beyond CHECK_BITS responses, neighbours share one. A response that differs is missed
 * by its own b bits once in 2^b, so a count of differences is "at least".
 *
 * Contract: pure; `readFingerprint` returns null for whatever `writeFingerprint` did not write.
 */
import * as v from 'valibot';
import { ByteReader, ByteWriter, fromBase64Url, toBase64Url } from './bytes';

/**
 * 1: without the claims' hash; links of that kind were judged by claims of before there was one.
 * 2: without the policy's `config.json` and `tokenizer.json`
 */
const VERSION = 3;
/** What of a policy decides a run, and what a person calls it. */
const FILE_WORDS = {
  onnx: 'the graph (onnx/model.onnx)',
  old: 'the checkpoint of the old policy',
  new: 'the checkpoint of the new policy',
  config: 'config.json',
  tokenizer: 'tokenizer.json',
};
type PolicyFile = keyof typeof FILE_WORDS;
const POLICY_FILES = Object.keys(FILE_WORDS) as PolicyFile[];

/** ids of figures that no claim's rule touches begin so */
export const GENERAL = 'run.';
export const CHECK_BITS = 1536;
export const MAX_FIGURES = 32;
const MAX_TEXT = 1200;
/** nats: what rounding of synthetic log-ratios forgives */
const GRID = 1e-5;

const word = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1));
const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

export const fingerprintSchema = v.pipe(
  v.strictObject({
    compares: v.picklist(['tokens', 'log-ratios']),
    sequences: amount,
    tokens: amount,
    /** first 32 bits of the SHA-256 of each file; null: a link of before they were held */
    policies: v.nullable(
      v.strictObject({
        onnx: word,
        old: word,
        new: word,
        config: v.nullable(word),
        tokenizer: v.nullable(word),
      }),
    ),
    hash: v.tuple([word, word]),
    /** first 32 bits of the hash of all claims; null: a link of before they had one */
    claims: v.nullable(word),
    check: v.strictObject({
      /** per response, or per `share` responses */
      bits: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(8)),
      /** neighbouring responses that share their bits */
      share: amount,
      packed: v.instance(Uint8Array),
    }),
    figures: v.pipe(
      v.array(v.strictObject({ key: word, value: v.nullable(v.pipe(v.number(), v.finite())) })),
      v.maxLength(MAX_FIGURES),
    ),
  }),
  v.check(({ sequences, tokens }) => tokens >= sequences, 'fewer tokens than responses'),
  v.check(({ sequences, check }) => {
    const { bits, share } = checkShape(sequences);
    const bytes = Math.ceil((Math.ceil(sequences / share) * bits) / 8);
    return check.bits === bits && check.share === share && check.packed.length === bytes;
  }, 'the check bits do not fit the number of responses'),
);
export type Fingerprint = v.InferOutput<typeof fingerprintSchema>;

function checkShape(sequences: number): { bits: number; share: number } {
  const bits = Math.floor(CHECK_BITS / sequences);
  return bits >= 1
    ? { bits: Math.min(8, bits), share: 1 }
    : { bits: 1, share: Math.ceil(sequences / CHECK_BITS) };
}

/** One headline figure of a run. */
export interface Figure {
  /** stable, like a claim's id: `variance.slope` */
  id: string;
  /** for people */
  label: string;
  /** null: not measured */
  value: number | null;
  /** how far a repetition may be off and still count as the same */
  tolerance: number;
}

/** The columns of Rollouts that a fingerprint needs; names and units as there. */
export interface FingerprintInput {
  offsets: Uint32Array;
  tokenIds: Int32Array;
  logpOld: ArrayLike<number>;
  logpNew: ArrayLike<number>;
}

/** Two lanes of 32-bit MurmurHash3 (Appleby, public domain), with different seeds. */
class Hash {
  private low = 0x2f0b4a27;
  private high = 0x9747b28c;
  private words = 0;

  add(value: number): void {
    this.low = mix(this.low, value, 0xcc9e2d51, 0x1b873593);
    this.high = mix(this.high, value, 0x239b961b, 0xab0e9789);
    this.words++;
  }

  get value(): [number, number] {
    return [finish(this.low ^ this.words), finish(this.high ^ this.words)];
  }
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

function mix(hash: number, value: number, c1: number, c2: number): number {
  const k = Math.imul(rotate(Math.imul(value, c1), 15), c2);
  return (Math.imul(rotate(hash ^ k, 13), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The key under which a link holds a figure. */
export function figureKey(id: string): number {
  const hash = new Hash();
  for (const letter of id) hash.add(letter.codePointAt(0) as number);
  return hash.value[0];
}

function readHex(sha256: string): number {
  const value = Number.parseInt(sha256.slice(0, 8), 16);
  return Number.isFinite(value) ? value : 0;
}

/**
 * @param files SHA-256 in hex, as manifests have them; null where no policy took part
 * @param claims first 32 bits of the hash of the claims that the figures were judged by
 */
export function makeFingerprint(
  rollouts: FingerprintInput,
  files: Readonly<Record<PolicyFile, string>> | null,
  figures: readonly Figure[],
  claims: number,
): Fingerprint {
  const { offsets, tokenIds, logpOld, logpNew } = rollouts;
  const sequences = offsets.length - 1;
  const compares = tokenIds.some((id) => id >= 0) ? 'tokens' : 'log-ratios';
  const { bits, share } = checkShape(sequences);
  const packed = new Uint8Array(Math.ceil((Math.ceil(sequences / share) * bits) / 8));
  const all = new Hash();
  let block = new Hash();
  for (let i = 0; i < sequences; i++) {
    const from = offsets[i] as number;
    const to = offsets[i + 1] as number;
    if (i % share === 0) block = new Hash();
    for (const hash of [all, block]) hash.add(to - from);
    for (let t = from; t < to; t++) {
      const value =
        compares === 'tokens'
          ? (tokenIds[t] as number)
          : Math.round(((logpNew[t] as number) - (logpOld[t] as number)) / GRID) | 0;
      all.add(value);
      block.add(value);
    }
    if (i % share === share - 1 || i === sequences - 1) {
      putBits(packed, Math.floor(i / share) * bits, bits, block.value[0]);
    }
  }
  return {
    compares,
    sequences,
    tokens: offsets[sequences] as number,
    policies: files && {
      onnx: readHex(files.onnx),
      old: readHex(files.old),
      new: readHex(files.new),
      config: readHex(files.config),
      tokenizer: readHex(files.tokenizer),
    },
    hash: all.value,
    claims,
    check: { bits, share, packed },
    figures: figures.slice(0, MAX_FIGURES).map(({ id, value }) => ({
      key: figureKey(id),
      // as a link holds it, so that what was written and what is read are equal
      value: value === null || !Number.isFinite(Math.fround(value)) ? null : Math.fround(value),
    })),
  };
}

function putBits(into: Uint8Array, at: number, bits: number, value: number): void {
  for (let b = 0; b < bits; b++) {
    if ((value >>> b) & 1)
      into[(at + b) >> 3] = (into[(at + b) >> 3] as number) | (1 << ((at + b) & 7));
  }
}

function getBits(from: Uint8Array, at: number, bits: number): number {
  let value = 0;
  for (let b = 0; b < bits; b++) {
    value |= (((from[(at + b) >> 3] as number) >> ((at + b) & 7)) & 1) << b;
  }
  return value;
}

export function writeFingerprint(fingerprint: Fingerprint): string {
  const { compares, sequences, tokens, policies, hash, claims, check, figures } = fingerprint;
  const out = new ByteWriter();
  const besides = policies && policies.config !== null && policies.tokenizer !== null;
  out.byte(claims === null ? 1 : policies && !besides ? 2 : VERSION);
  out.byte((compares === 'tokens' ? 1 : 0) | (policies === null ? 0 : 2));
  out.count(sequences);
  out.count(tokens);
  if (policies !== null)
    for (const file of [policies.onnx, policies.old, policies.new]) out.word(file);
  for (const lane of hash) out.word(lane);
  if (claims !== null) out.word(claims);
  if (claims !== null && besides) {
    for (const file of [policies.config, policies.tokenizer]) out.word(file as number);
  }
  out.all(check.packed);
  for (const { key, value } of figures) {
    out.word(key);
    out.float32(value ?? Number.NaN);
  }
  return toBase64Url(out.done());
}

/** @returns null where the text is no fingerprint of a version that is known */
export function readFingerprint(text: string): Fingerprint | null {
  if (text.length > MAX_TEXT) return null;
  const bytes = fromBase64Url(text);
  if (bytes === null) return null;
  try {
    const from = new ByteReader(bytes);
    const version = from.byte();
    if (version < 1 || version > VERSION) return null;
    const flags = from.byte();
    if (flags > 3) return null;
    const sequences = from.count();
    if (sequences < 1) return null;
    const tokens = from.count();
    const weights =
      (flags & 2) === 0 ? null : { onnx: from.word(), old: from.word(), new: from.word() };
    const hash = [from.word(), from.word()];
    const claims = version === 1 ? null : from.word();
    const policies = weights && {
      ...weights,
      config: version < 3 ? null : from.word(),
      tokenizer: version < 3 ? null : from.word(),
    };
    const { bits, share } = checkShape(sequences);
    const packed = from.take(Math.ceil((Math.ceil(sequences / share) * bits) / 8));
    const figures = [];
    while (from.left > 0) {
      const key = from.word();
      const value = from.float32();
      figures.push({ key, value: Number.isNaN(value) ? null : value });
    }
    const compares = (flags & 1) === 1 ? 'tokens' : 'log-ratios';
    const check = { bits, share, packed };
    const parsed = v.safeParse(fingerprintSchema, {
      compares,
      sequences,
      tokens,
      policies,
      hash,
      claims,
      check,
      figures,
    });
    return parsed.success ? parsed.output : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export interface FigureComparison {
  label: string;
  link: number | null;
  here: number | null;
  /** here - link; null where one of them is missing */
  difference: number | null;
  tolerance: number;
  within: boolean;
}

export interface Comparison {
  same: boolean;
  compares: Fingerprint['compares'];
  /** policy files that are others than those of the link, so that nothing else can agree */
  otherFiles: readonly string[];
  sequences: { link: number; here: number };
  tokens: { link: number; here: number };
  /** every token, by the hash */
  allTokens: boolean;
  /** responses whose check bits differ, at least; by blocks of `share` responses */
  differing: { blocks: number; of: number; share: number };
  figures: FigureComparison[];
  /** figures of the link that were not measured here */
  unknownFigures: number;
  /** figures of the link that claims of another version judged: not compared; 0 where the claims are the same */
  otherRules: number;
}

/** A link's fingerprint beside that of its repetition. */
export function compareFingerprints(
  link: Fingerprint,
  here: Fingerprint,
  measured: readonly Figure[],
): Comparison {
  const { bits, share, packed } = link.check;
  const of = Math.ceil(Math.min(link.sequences, here.sequences) / share);
  let blocks = 0;
  if (here.check.bits === bits && here.check.share === share) {
    for (let i = 0; i < of; i++) {
      const at = i * bits;
      if (getBits(packed, at, bits) !== getBits(here.check.packed, at, bits)) blocks++;
    }
  } else blocks = of;
  const allTokens =
    link.compares === here.compares &&
    link.hash[0] === here.hash[0] &&
    link.hash[1] === here.hash[1] &&
    link.tokens === here.tokens &&
    link.sequences === here.sequences &&
    blocks === 0;
  const byKey = new Map(measured.map((figure) => [figureKey(figure.id), figure]));
  const figures: FigureComparison[] = [];
  const sameRules = link.claims === here.claims;
  let unknownFigures = 0;
  let otherRules = 0;
  for (const { key, value } of link.figures) {
    const figure = byKey.get(key);
    if (!sameRules && !figure?.id.startsWith(GENERAL)) otherRules++;
    else if (figure === undefined) unknownFigures++;
    else figures.push(compareFigure(value, figure));
  }
  const otherFiles = filesThatDiffer(link, here);
  return {
    same: otherFiles.length === 0 && allTokens && figures.every(({ within }) => within),
    compares: link.compares,
    otherFiles,
    sequences: { link: link.sequences, here: here.sequences },
    tokens: { link: link.tokens, here: here.tokens },
    allTokens,
    differing: { blocks, of, share },
    figures,
    unknownFigures,
    otherRules,
  };
}

function compareFigure(link: number | null, { label, value, tolerance }: Figure): FigureComparison {
  const here = value === null || !Number.isFinite(value) ? null : value;
  const difference = link === null || here === null ? null : here - link;
  // A link holds 24 bits of a figure.
  const allowed = tolerance + Math.abs(here ?? 0) * 2 ** -23;
  const within = difference === null ? link === here : Math.abs(difference) <= allowed;
  return { label, link, here, difference, tolerance, within };
}

function filesThatDiffer({ policies: link }: Fingerprint, { policies: here }: Fingerprint) {
  if (link === null && here === null) return [];
  if (link === null || here === null) return ['a policy on one side only'];
  return POLICY_FILES.filter((file) => {
    const [then, now] = [link[file], here[file]];
    return then !== null && now !== null && then !== now;
  }).map((file) => FILE_WORDS[file]);
}

// A comparison in words; the page and `npm run experiment` say the same.

const count = (n: number) => n.toLocaleString('en-US');

/** Which responses are the same. */
export function tokenWords(compared: Comparison): string {
  const { compares, otherFiles, sequences, tokens, allTokens, differing } = compared;
  if (otherFiles.length > 0) {
    return `Other files than those of the link: ${otherFiles.join(', ')}; so nothing else need agree.`;
  }
  if (sequences.link !== sequences.here) {
    return `The link’s run had ${count(sequences.link)} responses, this one has ${count(sequences.here)}.`;
  }
  const n = count(sequences.here);
  const what = compares === 'tokens' ? 'tokens' : 'log-ratios (to 1e-5)';
  if (allTokens) return `Same ${what} in ${n} of ${n} responses.`;
  const total =
    tokens.link === tokens.here
      ? ''
      : ` (${count(tokens.link)} tokens then, ${count(tokens.here)} now)`;
  if (differing.blocks === 0)
    return `Some ${what} differ${total}, in responses that cannot be named.`;
  const unit = differing.share === 1 ? 'responses' : `blocks of ${differing.share} responses`;
  return `Other ${what} in at least ${count(differing.blocks)} of ${count(differing.of)} ${unit}${total}.`;
}

/** How many figures agree. */
export function figureWords({ figures, unknownFigures, otherRules }: Comparison): string {
  const within = figures.filter((figure) => figure.within).length;
  const lost =
    unknownFigures === 0
      ? ''
      : ` ${count(unknownFigures)} of the link’s figures ${unknownFigures === 1 ? 'is' : 'are'} of another page, and not compared.`;
  const judged =
    otherRules === 0
      ? ''
      : ` The link was judged under other rules than those of this lab’s claims today, so its ${
          otherRules === 1 ? 'claim is' : `${count(otherRules)} claims are`
        } not compared.`;
  if (figures.length === 0) return `${lost}${judged}`.trim();
  return `${within} of ${figures.length} figures within tolerance.${lost}${judged}`;
}
