/** The model card as Markdown, from what was measured and from the curves of its races. */
import { seriesClaims } from '../../src/experiments/race';
import { LIMIT } from '../../src/tasks/arithmetic';
import type { CheckpointInfo, PolicyManifest } from '../../src/policy/manifest';
import type { Accuracy } from '../../src/training/heldout';
import { shippedSeries, type Series } from '../../src/training/series';
import { BLOCK_COLUMNS, BLOCK_STEPS, blockRows, type CardSeries } from './curves';
import { RACES } from './races';
import type { Recipe } from './recipes';

export type MeasuredCheckpoint = Accuracy & { id: string };

export interface MeasuredPair {
  old: string;
  new: string;
  /** of the token log-ratio log pi_new - log pi_old on responses of `old` */
  mean: number;
  sd: number;
  tokens: number;
}

/** A checkpoint that is stored as 16-bit differences, and what that does to log-probs, nats. */
export interface StoredSmaller {
  id: string;
  to: string;
  rms: number;
  most: number;
}

export interface Measured {
  measured: readonly MeasuredCheckpoint[];
  pairs: readonly MeasuredPair[];
  curves: readonly Series[];
  smaller: readonly StoredSmaller[];
  /** share of each expert, by layer; null: a dense policy */
  experts: readonly (readonly number[])[] | null;
}

const percent = (x: number) => `${(100 * x).toFixed(1)} %`;

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Of the curves' figure, in the policy's folder. */
export const CURVES_FILE = 'training/curves.svg';

/** What the curves of the card are drawn from. @param curves of the manifest's races, in their order */
export function cardSeries(manifest: PolicyManifest, curves: readonly Series[]): CardSeries[] {
  return shippedSeries(manifest, curves).map(({ name, series, start }) => {
    const own = manifest.checkpoints.filter((checkpoint) => checkpoint.series === name);
    const heldOut = [{ ...start, step: 0 }, ...own].flatMap((one: CheckpointInfo) =>
      one.accuracy === null || one.accuracyInterval === null
        ? []
        : [{ step: one.step, accuracy: one.accuracy, interval: one.accuracyInterval }],
    );
    // Of two that are one step apart, one is enough to see.
    const apart = heldOut.filter(({ step }, i) => heldOut[i + 1]?.step !== step + 1);
    return { name, reports: series.steps, heldOut: apart };
  });
}

/** "14.6 points [10.3, 18.9]": the claim's own difference and interval. */
function riseText(manifest: PolicyManifest, curves: readonly Series[], series: string): string {
  const claims = seriesClaims(shippedSeries(manifest, curves));
  const found = claims.find(({ id }) => id === `series.${series}-accuracy`);
  if (found?.measured === undefined || found.measured === null || !found.interval) {
    return 'not measured';
  }
  const points = (x: number) => (100 * x).toFixed(1);
  return `${points(found.measured)} points [${found.interval.map(points).join(', ')}]`;
}

function curvesText(manifest: PolicyManifest, curves: readonly Series[], prompts: number): string {
  const series = cardSeries(manifest, curves);
  const tables = series.map(
    ({ name, reports }) =>
      `### ${name.toUpperCase()}\n\n${table(BLOCK_COLUMNS, blockRows(reports))}`,
  );
  return `![Reward, held-out accuracy, entropy, clip share, variance of log s and gradient norm over the steps](${CURVES_FILE})

Held-out accuracy: the checkpoints of the table above, over ${prompts.toLocaleString('en')} prompts, with Wilson 95 %
intervals. The tables have means over blocks of ${BLOCK_STEPS} steps, of variances the geometric mean; every
single step is in ${series.map(({ name }) => `\`training/${name}.json\``).join(' and ')}.

${tables.join('\n\n')}
`;
}

/** What the reinforcement learning was, and what it reached, for the card. */
function raceText(
  manifest: PolicyManifest,
  measured: readonly MeasuredCheckpoint[],
  curves: readonly Series[],
): string {
  const { races, checkpoints } = manifest;
  const recipe = Object.entries(RACES).find(
    ([, { settings }]) => settings.policy === manifest.name,
  );
  if (!races || races.length === 0 || !recipe) return '';
  const [name, { settings, series }] = recipe;
  const accuracyOf = (id: string | undefined) => {
    const found = measured.find((one) => one.id === id);
    return found
      ? `${percent(found.accuracy)} [${found.interval.map(percent).join(', ')}]`
      : 'not measured';
  };
  const ends = series.map((one, i) => {
    const last = checkpoints.findLast((checkpoint) => checkpoint.series === one);
    const { objective, epsilonLow, epsilonHigh, learningRate } = settings.racers[i] ?? {};
    return [
      one,
      `${objective}, ${epsilonLow} / ${epsilonHigh}`,
      String(learningRate),
      accuracyOf(settings.start),
      accuracyOf(last?.id),
      riseText(manifest, curves, one),
    ];
  });
  return `## Reinforcement learning

The series \`${series.join('` and `')}\` go on from \`${settings.start}\` with the lab's own trainer
(\`npm run models:train -- ${name}\`, in Node on WebAssembly): ${settings.steps} steps, each with fresh
rollouts of ${settings.prompts} prompts x ${settings.groupSize} responses at temperature
${settings.temperature} and ${settings.minibatches} minibatch updates on them. AdamW (0.9, 0.999), gradient norm
clipped at ${settings.gradientClip}, ${settings.schedule} learning rate after ${settings.warmupSteps} warm-up steps, no
KL penalty. Reward: 1 for a right response, else 0; group advantages as TRL computes them. Seed
${settings.seed}, the same prompts and random numbers for both. Weights are stored in float32. The
rise is the difference of the two accuracies with Newcombe's 95 % interval.

${table(['series', 'objective, epsilon low / high', 'learning rate', 'accuracy at the start', 'after the last step', 'rise'], ends)}

${curvesText(manifest, curves, measured[0]?.prompts ?? 0)}`;
}

function taskText({ task, prompts: { minOperators, maxOperators } }: Recipe): string {
  if (task === 'maze') {
    return `A maze, one move at a time: the prompt draws a maze of ${minOperators} to ${maxOperators} cells a side, walls as
\`#\` and each open cell as its own letter, with the start and the goal; the response is a sequence of moves, each
followed by the cell that it leads to, and ends in \`;\` (\`src/tasks/maze.ts\`). Example: \`ab#/#i#/opq|a-q=\` then
\`>bvivp>q;\`. Solutions explore: moves that get nearer to the goal are preferred half of the time, and out of a dead end
the walk goes back. Reward: 1 where the goal is reached by legal moves alone, else 0. Valid steps: moves that lead where
they say. One prompt in sixteen, by a hash of its text, is held out of training.`;
  }
  return `Arithmetic, step by step: the prompt is an expression of ${minOperators} to ${maxOperators} operators
(\`+ - *\`, operands 1 to 9) and \`=\`; the response rewrites it one valid reduction at a time, chosen at
random among those that precedence allows, and ends in \`;\`. Values stay within +-${LIMIT}; negative
ones stand in parentheses. Example: \`8*3+2-6=\` then \`24+2-6=24+(-4)=20;\`. One prompt in sixteen, by a
hash of its text, is held out of training.`;
}

function expertsText({ architecture, balance }: Recipe, { experts }: Measured): string {
  if (experts === null || !architecture.experts) return '';
  const { count, perToken } = architecture.experts;
  const rows = experts.map((shares, layer) => [String(layer), ...shares.map(percent)]);
  return `## Experts

${count} experts in every layer, ${perToken} to a token: the router's two largest logits, their softmax the shares.
Load-balancing loss in training, weight ${balance ?? 0}. Share of the routes that each expert gets, on held-out responses
under the default pi_old (even use: ${percent(1 / count)}):

${table(['layer', ...Array.from({ length: count }, (_, i) => String(i))], rows)}

`;
}

function smallerText({ smaller }: Measured): string {
  if (smaller.length === 0) return '';
  return `## Stored smaller

These are files of 16-bit differences to another checkpoint, which are added to it when they are read; what is above was
measured on them. What that does to the log-probs of their own responses, in nats:

${table(
  ['checkpoint', 'difference to', 'root mean square', 'largest'],
  smaller.map(({ id, to, rms, most }) => [id, to, rms.toPrecision(2), most.toPrecision(2)]),
)}

`;
}

export function modelCard(recipe: Recipe, manifest: PolicyManifest, found: Measured): string {
  const { measured, pairs, curves } = found;
  const { architecture: a } = recipe;
  const trained = recipe.steps * recipe.batch * recipe.rowLength;
  return `# ${manifest.name}

${manifest.title}. Trained from scratch for GSPO Lab with \`npm run models:train -- ${manifest.name}\`;
this card was written by \`npm run models:card -- ${manifest.name}\` from measurements.

## Task

${taskText(recipe)}

## Architecture

Llama-like decoder: RMSNorm, RoPE (theta ${a.ropeTheta}), SwiGLU${a.experts ? ' experts' : ''}, KV cache, no biases, untied output.
${manifest.parameters.toLocaleString('en')} parameters: width ${a.hiddenSize}, ${a.layers} layers,
${a.heads} heads, SwiGLU ${a.intermediateSize}, context ${a.maxPositions}, one token per character,
vocabulary ${a.vocabulary.length}. Matrices are stored [in, out].

## Training

jax-js through the very ONNX file of this folder, in headless Chromium (wasm threads), float32.
${recipe.steps} steps of ${recipe.batch} x ${recipe.rowLength} packed tokens
(${trained.toLocaleString('en')} tokens), loss on response tokens only, AdamW (0.9, 0.98, weight decay
${recipe.weightDecay} on matrices), gradient norm clipped at ${recipe.gradientClip}, learning rate
${recipe.peakLearningRate} after ${recipe.warmupSteps} warm-up steps, cosine to zero. Seed ${recipe.seed} for
weights and data.

## Checkpoints

Loss: smoothed training loss, nats per response token. Accuracy: one response at temperature 1 to each
of ${measured[0]?.prompts ?? 0} held-out prompts, with the Wilson 95 % interval. Valid steps: mean share of
steps that are one valid reduction.

${table(
  ['checkpoint', 'loss', 'accuracy', '95 % interval', 'valid steps', 'mean length'],
  measured.map((m, i) => [
    m.id,
    manifest.checkpoints[i]?.loss?.toFixed(4) ?? '',
    percent(m.accuracy),
    m.interval.map(percent).join(' to '),
    percent(m.validSteps),
    m.meanLength.toFixed(1),
  ]),
)}

Default pair: pi_old \`${manifest.defaultPair.old}\`, pi_theta \`${manifest.defaultPair.new}\`. \`onnx/model.onnx\`
holds the weights of \`${manifest.defaultPair.old}\`.

${raceText(manifest, measured, curves)}
${expertsText(recipe, found)}## Pairs

Token log-ratio log pi_theta - log pi_old on responses sampled from pi_old at temperature 1.

${table(
  ['pi_old', 'pi_theta', 'mean', 'standard deviation', 'tokens'],
  pairs.map((p) => [p.old, p.new, p.mean.toPrecision(3), p.sd.toPrecision(3), String(p.tokens)]),
)}

${smallerText(found)}## Files

${table(
  ['file', 'bytes', 'SHA-256'],
  [manifest.onnx, manifest.config, manifest.tokenizer, ...manifest.checkpoints].map(
    ({ file, bytes, sha256 }) => [`\`${file}\``, bytes.toLocaleString('en'), `\`${sha256}\``],
  ),
)}
`;
}
