/**
 * What a foreign graph computes right, found by running it: one text through every form that the lab would use, each
 * compared with the text alone. Contract: a form is used only where it gives the same numbers to rounding; how far the
 * used ones differ is the model's own noise, which is shown beside every result.
 *
 * Why so: graphs have no mark that says whether padding, positions or caches are handled. Fused attention takes
 * positions from the mask and pads on the right only; states of convolutions see the padding; activations rounded to 8
 * bits at run time depend on what else is in the batch.
 */
import { lastRows, padBatch } from '../batch';
import { rowStats, scoreSequences, type ScoringKernels } from '../score';
import type { DecodeSession, KeyValueCache, PolicySession, RowRules } from '../session';
import { LOOP } from '../graph/decode-loop';
import { disposeTensors } from '../tensors';
import { message } from '../../message';
import type { Arithmetic } from './graph';
import type { Difference, Form, FormFound, ModelProbe } from './report';

/** Letters, digits, punctuation and another script. */
const TEXT =
  'Once upon a time, there were 3 little birds in a tree. "Look!" said one. They sang all day; naïve — 日本 — and then it was night.';
const OTHER =
  'In 1921 the town had two mills and a school. The road to the river was long, and nobody knew who had built the bridge.';

/** Tokens of the text, and of the prompt in front of what is decoded. */
const LENGTH = 24;
const PROMPT = 12;
const SHORTER = 5;

/**
 * How far a log-prob may be off by rounding alone, nats: float32 adds in another order (measured 1e-5 on small models,
 * more on deep ones); half precision has 11 bits; activations of 8 bits move by steps of their own. A wrong mask,
 * position or cache is off by far more than the first two.
 */
export function marginOf({ half, rounded }: Arithmetic): number {
  return rounded ? 0.5 : half ? 0.1 : 2e-3;
}

export type TextIds = (text: string) => number[];

/** Two rows of ids, of one length. */
export function probeRows(encode: TextIds, vocabulary: number, most: number): [number[], number[]] {
  const length = Math.min(LENGTH, most);
  const idsOf = (text: string) => {
    const ids = encode(text).filter((id) => id < vocabulary);
    if (ids.length === 0) ids.push(0);
    // A short text goes round.
    return Array.from({ length }, (_, i) => ids[i % ids.length]);
  };
  return [idsOf(TEXT), idsOf(OTHER)];
}

interface Side {
  session: PolicySession;
  kernels: ScoringKernels;
}

const NOTHING = { feeds: {}, dispose: () => undefined };

type LogProbs = ArrayLike<number>[];

/** Log-probs of every token but the first of each row. */
async function scored(
  { session, kernels }: Side,
  rows: readonly (readonly number[])[],
  rules: Pick<RowRules, 'score' | 'decode'>,
  pad: number,
  prompt = 1,
): Promise<LogProbs> {
  const before = session.rules;
  session.rules = { ...before, ...rules };
  try {
    const sequences = rows.map((ids) => ({
      prompt: ids.slice(0, prompt),
      response: ids.slice(prompt),
    }));
    const { logp } = await scoreSequences(session, NOTHING, kernels, sequences, pad);
    let at = 0;
    return sequences.map(({ response }) => logp.slice(at, (at += response.length)));
  } finally {
    session.rules = before;
  }
}

/** The same token by token: prompts of these lengths, padded on the left, and the given tokens behind them. */
async function decoded(
  { session, kernels }: Side,
  rows: readonly (readonly number[])[],
  prompts: readonly number[],
  pad: number,
): Promise<LogProbs> {
  const batch = padBatch(
    session,
    rows.map((ids, row) => ids.slice(0, prompts[row])),
    'left',
    pad,
  );
  const n = rows.length;
  const steps = Math.min(...rows.map((ids, row) => ids.length - prompts[row]));
  const found: number[][] = rows.map(() => []);
  let past: KeyValueCache | undefined;
  try {
    for (let step = 0; step < steps; step++) {
      const last = step === 0 ? batch.length : 1;
      const wanted = rows.map((_, row) => (row + 1) * last - 1);
      const total = batch.length + step;
      const mask = new Int32Array(n * total).fill(1);
      prompts.forEach((own, row) => mask.fill(0, row * total, row * total + batch.length - own));
      const inputs =
        step === 0
          ? batch
          : {
              inputIds: session.integers(
                rows.map((ids, row) => ids[prompts[row] + step - 1]),
                [n, 1],
              ),
              attentionMask: session.integers(mask, [n, total]),
              positionIds: session.integers(
                prompts.map((own) => own + step - 1),
                [n, 1],
              ),
              ...(past ? { past } : {}),
            };
      const output = await session.forward(NOTHING, { ...inputs, rows: wanted });
      if (past) disposeTensors(past);
      past = output.present;
      const targets = rows.map((ids, row) => ids[prompts[row] + step]);
      const { logits, rows: at } = output;
      const { logp } = await rowStats(kernels, logits, logits.dims[2], at, targets);
      logits.dispose();
      logp.forEach((x, row) => found[row].push(x));
    }
  } finally {
    if (past) disposeTensors(past);
  }
  return found;
}

/** Noise that no logit stands against: the token that it is given to is drawn. */
const CERTAIN = 1e9;

/** The same inside the runtime (`graph/decode-loop.ts`): a prompt, its next token, and those that noise makes it draw. */
async function looped(
  { session, kernels }: Side,
  loop: DecodeSession,
  rows: readonly (readonly number[])[],
  prompt: number,
  pad: number,
): Promise<LogProbs> {
  const { ports, runtime } = session;
  const { Tensor } = runtime.ort;
  const n = rows.length;
  const steps = rows[0].length - prompt - 1;
  const batch = padBatch(
    session,
    rows.map((ids) => ids.slice(0, prompt)),
    'left',
    pad,
  );
  const { logits, present } = await session.forward(NOTHING, { ...batch, rows: lastRows(batch) });
  const vocabulary = logits.dims[2];
  logits.dispose();
  const targets = Array.from({ length: steps * n }, (_, i) => {
    return rows[i % n][prompt + 1 + Math.floor(i / n)];
  });
  const noise = new Float32Array(steps * n * vocabulary);
  targets.forEach((token, i) => (noise[i * vocabulary + token] = CERTAIN));
  const ones = Array<number>(n * (prompt + 1)).fill(1);
  const next = rows.map((ids) => ids[prompt]);
  const position = Array<number>(n).fill(prompt);
  const outputs = await loop.run(NOTHING, {
    [LOOP.fed(ports.tokens.name)]: session.integers(next, [n, 1]),
    [LOOP.fed(ports.mask?.name ?? '')]: session.integers(ones, [n, prompt + 1]),
    [LOOP.fed(ports.positions?.name ?? '')]: session.integers(position, [n, 1]),
    [LOOP.steps]: session.integers([steps], []),
    [LOOP.scale]: new Tensor('float32', [1], []),
    [LOOP.noise]: new Tensor('float32', noise, [steps, n, vocabulary]),
    [LOOP.lastPosition]: session.integers([prompt + steps], []),
    ...Object.fromEntries(
      ports.caches.map(({ input }) => [LOOP.fed(input.name), present[input.name]]),
    ),
  });
  const all = targets.map((_, i) => i);
  const { logp } = await rowStats(kernels, outputs[LOOP.logits], vocabulary, all, targets);
  return rows.map((_, row) => Array.from({ length: steps }, (_, step) => logp[step * n + row]));
}

/** @param from index in `want` of the first of `got` */
function differenceOf(got: LogProbs, want: LogProbs, from: readonly number[]): Difference {
  let logp = 0;
  let logS = 0;
  got.forEach((row, r) => {
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const off = row[i] - want[r][from[r] + i];
      // What is not finite is as wrong as can be.
      logp = Math.max(logp, Number.isFinite(off) ? Math.abs(off) : Infinity);
      sum += off;
    }
    if (row.length > 0) logS = Math.max(logS, Math.abs(sum / row.length));
  });
  return { logp, logS: Number.isFinite(logS) ? logS : Infinity };
}

export interface Probed {
  probe: ModelProbe;
  rules: RowRules;
  /** log-probs of the rows alone, for another backend to be compared with */
  alone: LogProbs;
}

/**
 * @param rows of `probeRows`
 * @param wasm what WebAssembly found alone; null where this is WebAssembly
 * @throws what the runtime throws where the graph does not run at all; Error where its numbers are not finite
 */
export async function probe(
  side: Side,
  rows: [number[], number[]],
  pad: number,
  arithmetic: Arithmetic,
  wasm: LogProbs | null,
  signal?: AbortSignal,
): Promise<Probed> {
  const { session } = side;
  const margin = marginOf(arithmetic);
  const alone = await scored(side, rows, { score: 'alone', decode: 'alone' }, pad);
  if (alone.some((row) => Array.from(row).some((x) => !Number.isFinite(x)))) {
    throw new Error(
      `The model’s numbers are not finite on ${session.runtime.provider === 'wasm' ? 'WebAssembly' : 'the GPU'}: ` +
        'its graph overflows in this arithmetic, or its file is damaged.',
    );
  }
  const forms: FormFound[] = [];
  const tryForm = async (
    form: Form,
    most: number,
    runs: () => Promise<{ got: LogProbs; from: number[] }[] | null>,
  ): Promise<boolean> => {
    signal?.throwIfAborted();
    try {
      const ran = await runs();
      // The graph has no such form.
      if (ran === null) return false;
      const found = ran.map(({ got, from }) => differenceOf(got, alone, from));
      const logp = Math.max(...found.map((one) => one.logp));
      const logS = Math.max(...found.map((one) => one.logS));
      const used = logp <= most;
      forms.push({ form, logp, logS, used, problem: null });
      return used;
    } catch (error) {
      forms.push({ form, logp: Infinity, logS: Infinity, used: false, problem: message(error) });
      return false;
    }
  };
  const [long, other] = rows;
  const short = other.slice(0, SHORTER);
  const together = await tryForm('same length', margin, async () => [
    { got: await scored(side, rows, { score: 'same length', decode: 'alone' }, pad), from: [0, 0] },
  ]);
  // What rows of one length differ by is this arithmetic's; padding may add nothing to it.
  const beside = forms[0].used ? 2 * forms[0].logp : 0;
  const ofPadding = Math.max(beside, marginOf({ ...arithmetic, rounded: false }));
  const right = await tryForm('right', ofPadding, async () => [
    {
      got: await scored(side, [long, short], { score: 'padded', decode: 'alone' }, pad),
      from: [0, 0],
    },
  ]);
  const remembers = session.ports.caches.length > 0;
  const cached =
    remembers &&
    (await tryForm('cached', margin, async () => [
      { got: await decoded(side, rows, [PROMPT, PROMPT], pad), from: [PROMPT - 1, PROMPT - 1] },
    ]));
  const left =
    remembers &&
    cached &&
    (await tryForm('left', ofPadding, async () => {
      const prompts = [PROMPT, SHORTER];
      const steps = [
        { got: await decoded(side, rows, prompts, pad), from: prompts.map((own) => own - 1) },
      ];
      // Two responses to each prompt: where caches can be put together, they are scored behind its.
      const twice = [long, long.slice(0, -2)];
      const rules = { score: 'padded', decode: 'padded' } as const;
      const behind = await scored(side, twice, rules, pad, PROMPT);
      return [
        ...steps,
        { got: [behind[0]], from: [PROMPT - 1] },
        { got: [behind[1]], from: [PROMPT - 1] },
      ];
    }));
  const loops =
    left &&
    (await tryForm('loop', margin, async () => {
      const loop = await session.decodeSession();
      if (loop === null) return null;
      return [{ got: await looped(side, loop, rows, PROMPT, pad), from: [PROMPT, PROMPT] }];
    }));
  const rules: RowRules = {
    ...session.rules,
    score: right ? 'padded' : together ? 'same length' : 'alone',
    decode: left && together ? 'padded' : together ? 'same length' : 'alone',
    cached,
    loop: loops,
  };
  const against = wasm === null ? null : differenceOf(alone, wasm, [0, 0]);
  const counted = [...forms.filter(({ used }) => used), ...(against ? [against] : [])];
  return {
    rules,
    alone,
    probe: {
      provider: session.runtime.provider,
      tokens: long.length - 1,
      forms,
      wasm: against && { ...against, agrees: against.logp <= margin },
      floor: {
        logp: Math.max(0, ...counted.map(({ logp }) => logp)),
        logS: Math.max(0, ...counted.map(({ logS }) => logS)),
      },
      margin,
    },
  };
}
