/**
 * The policy's forward pass in plain float64 loops, written from the architecture and not from the graph:
 * an independent second opinion for tests and for the check of a device. Contract: one sequence at a time, no
 * padding, no cache; a millisecond or two a token at the size of the lab's policies.
 */
import * as v from 'valibot';

/** What of an architecture the numbers depend on; widths of vocabularies are the weights'. */
export interface Shape {
  hiddenSize: number;
  layers: number;
  heads: number;
  /** heads of keys and values, each shared by `heads / kvHeads` queries; absent: as many as `heads` */
  kvHeads?: number;
  /** inner width of the SwiGLU block; with experts, of each expert */
  intermediateSize: number;
  experts?: { count: number; perToken: number };
  ropeTheta: number;
  rmsNormEpsilon: number;
}

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** `config.json` of a dense policy, as Hugging Face names things. */
const configSchema = v.pipe(
  v.object({
    model_type: v.literal('llama'),
    hidden_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    num_key_value_heads: size,
    intermediate_size: size,
    rope_theta: v.pipe(v.number(), v.minValue(1)),
    rms_norm_eps: v.pipe(v.number(), v.minValue(0)),
  }),
  v.transform((c): Shape => ({
    hiddenSize: c.hidden_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads,
    intermediateSize: c.intermediate_size,
    ropeTheta: c.rope_theta,
    rmsNormEpsilon: c.rms_norm_eps,
  })),
);

/** @returns null where it is not a policy that this file can compute */
export function shapeOf(config: unknown): Shape | null {
  const parsed = v.safeParse(configSchema, config);
  return parsed.success ? parsed.output : null;
}

/** By name, matrices [in, out] row-major. */
export type Weights64 = Map<string, Float64Array>;

/** x [n, rows] @ w [rows, columns] */
function multiply(x: number[][], w: Float64Array, columns: number): number[][] {
  return x.map((row) => {
    const out = new Array<number>(columns).fill(0);
    row.forEach((value, i) => {
      for (let j = 0; j < columns; j++) {
        out[j] = out[j] + value * w[i * columns + j];
      }
    });
    return out;
  });
}

function rmsNorm(x: number[][], gain: Float64Array, epsilon: number): number[][] {
  return x.map((row) => {
    const mean = row.reduce((sum, v) => sum + v * v, 0) / row.length;
    const scale = 1 / Math.sqrt(mean + epsilon);
    return row.map((v, i) => v * scale * gain[i]);
  });
}

const silu = (x: number) => x / (1 + Math.exp(-x));

/** Rotates one head's vector by its position, pairing i with i + half. */
function rotate(v: number[], position: number, theta: number): number[] {
  const half = v.length / 2;
  return v.map((x, i) => {
    const angle = position * theta ** (-(i % half) / half);
    const other = i < half ? -v[i + half] : v[i - half];
    return x * Math.cos(angle) + other * Math.sin(angle);
  });
}

function attention(a: Shape, w: Weights64, layer: string, x: number[][]): number[][] {
  const d = a.hiddenSize;
  const size = d / a.heads;
  const project = (name: string, width: number) =>
    multiply(x, w.get(`${layer}.attn.${name}_proj.MatMul.weight`) as Float64Array, width);
  const kvHeads = a.kvHeads ?? a.heads;
  const keyWidth = size * kvHeads;
  const [q, k, value] = [project('q', d), project('k', keyWidth), project('v', keyWidth)];
  const sharing = a.heads / kvHeads;
  const out = x.map(() => new Array<number>(d).fill(0));
  for (let h = 0; h < a.heads; h++) {
    const part = (rows: number[][], head: number) =>
      rows.map((row) => row.slice(head * size, (head + 1) * size));
    const shared = Math.floor(h / sharing);
    const queries = part(q, h).map((row, t) => rotate(row, t, a.ropeTheta));
    const keys = part(k, shared).map((row, t) => rotate(row, t, a.ropeTheta));
    const values = part(value, shared);
    queries.forEach((query, t) => {
      const scores = keys
        .slice(0, t + 1)
        .map((key) => key.reduce((sum, y, i) => sum + y * query[i], 0) / Math.sqrt(size));
      const top = Math.max(...scores);
      const powers = scores.map((s) => Math.exp(s - top));
      const total = powers.reduce((sum, p) => sum + p, 0);
      powers.forEach((p, s) => {
        values[s].forEach((y, i) => {
          const row = out[t];
          row[h * size + i] = row[h * size + i] + (p / total) * y;
        });
      });
    });
  }
  return multiply(out, w.get(`${layer}.attn.o_proj.MatMul.weight`) as Float64Array, d);
}

/** Chosen experts of one token, and the share that each has in the sum: softmax over the two best. */
export type TokenRoute = { expert: number; share: number }[];

function routesOf(
  a: Shape,
  w: Weights64,
  layer: string,
  x: number[][],
  given: readonly TokenRoute[] | undefined,
): TokenRoute[] {
  const { experts } = a;
  if (!experts) return x.map(() => [{ expert: 0, share: 1 }]);
  const router = w.get(`${layer}.mlp.router.MatMul.weight`) as Float64Array;
  return multiply(x, router, experts.count).map((logits, t) => {
    const best = [...logits.keys()].sort((i, j) => logits[j] - logits[i]);
    const chosen = given?.[t].map(({ expert }) => expert) ?? best.slice(0, experts.perToken);
    const powers = chosen.map((i) => Math.exp(logits[i]));
    const total = powers.reduce((sum, p) => sum + p, 0);
    return chosen.map((expert, k) => ({ expert, share: powers[k] / total }));
  });
}

/** Expert by expert, only those chosen: a dense block is one expert that every token goes to. */
function mlp(a: Shape, w: Weights64, layer: string, x: number[][], routes: TokenRoute[]) {
  const matrix = (part: string) => w.get(`${layer}.mlp.${part}_proj.MatMul.weight`) as Float64Array;
  const [gate, up, down] = [matrix('gate'), matrix('up'), matrix('down')];
  const { hiddenSize: d, intermediateSize: width } = a;
  const inner = width * (a.experts?.count ?? 1);
  return x.map((row, t) => {
    const out = new Array<number>(d).fill(0);
    for (const { expert, share } of routes[t]) {
      for (let i = expert * width; i < (expert + 1) * width; i++) {
        const product = (m: Float64Array) =>
          row.reduce((sum, value, j) => sum + value * m[j * inner + i], 0);
        const value = share * silu(product(gate)) * product(up);
        for (let j = 0; j < d; j++) {
          out[j] = out[j] + value * down[i * d + j];
        }
      }
    }
    return out;
  });
}

const add = (x: number[][], y: number[][]) => x.map((row, t) => row.map((v, i) => v + y[t][i]));

/** @returns log pi(response_t | prompt, response before t) for every response token, nats */
export function referenceLogProbs(
  a: Shape,
  w: Weights64,
  prompt: readonly number[],
  response: readonly number[],
  /** receives each layer's routes of all places; experts of given ones are taken, their shares are this policy's */
  routing: { own?: TokenRoute[][]; replay?: readonly TokenRoute[][] } = {},
): number[] {
  const tokens = [...prompt, ...response];
  const embedding = w.get('model.embed_tokens.weight') as Float64Array;
  const d = a.hiddenSize;
  let x = tokens.slice(0, -1).map((id) => Array.from(embedding.subarray(id * d, (id + 1) * d)));
  for (let i = 0; i < a.layers; i++) {
    const layer = `model.layers.${i}`;
    const gain = (name: string) => w.get(`${layer}.${name}.weight`) as Float64Array;
    x = add(x, attention(a, w, layer, rmsNorm(x, gain('input_layernorm'), a.rmsNormEpsilon)));
    const fed = rmsNorm(x, gain('post_attention_layernorm'), a.rmsNormEpsilon);
    const routes = routesOf(a, w, layer, fed, routing.replay?.[i]);
    routing.own?.push(routes);
    x = add(x, mlp(a, w, layer, fed, routes));
  }
  const final = rmsNorm(x, w.get('model.norm.weight') as Float64Array, a.rmsNormEpsilon);
  const head = w.get('lm_head.MatMul.weight') as Float64Array;
  const logits = multiply(final, head, head.length / d);
  return response.map((id, t) => {
    const row = logits[prompt.length - 1 + t];
    const top = Math.max(...row);
    const total = row.reduce((sum, y) => sum + Math.exp(y - top), 0);
    return row[id] - top - Math.log(total);
  });
}
