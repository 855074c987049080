/**
 * `expandOperators`: operators that onnxruntime contributes, written in plain ones, so that a graph can be
 * differentiated by jax-js, decoded in a loop, or fed rows padded on the left.
 *
 * Contract: every tensor that the graph had keeps its name and, but for float rounding, its numbers (rows padded on
 * the left, which `GroupQueryAttention` gets wrong, come out as they do alone). What nothing reads any more is left
 * out. A graph without such operators stays as it is.
 */
import { removeUnused } from '../cut';
import { DEFAULT_PORT_NAMES, type PortNames } from '../ports';
import { GraphError, type OnnxModel } from '../proto';
import { groupQueryAttention } from './attention';
import { matMulNBits } from './blocks';
import { NORMS } from './norms';
import { rotaryEmbedding } from './rotary';
import { operatorOf, Surgery, type Expansion } from './surgery';

const EXPANSIONS = new Map(
  [groupQueryAttention, matMulNBits, ...NORMS, rotaryEmbedding].flatMap((expansion) =>
    expansion.operators.map((operator): [string, Expansion] => [operator, expansion]),
  ),
);

/** Operators that can be expanded, contributed ones by their domain. */
export const EXPANDED_OPERATORS: readonly string[] = [...EXPANSIONS.keys()];

/** Those that attention is made of: with these expanded, positions follow the mask. */
export const ATTENTION_OPERATORS: readonly string[] = groupQueryAttention.operators;

/** "GroupQueryAttention" at node "/model/layers.0/attn": as a person reads it. */
export const nodeInWords = ({ opType, name, output }: OnnxModel['graph']['node'][number]) =>
  `${opType} at node "${name || output[0]}"`;

/**
 * Operators of the graph that cannot be expanded, by node.
 * @param only operators to look at; all that are known where left out
 */
export function whyNotExpanded(
  model: OnnxModel,
  { names = DEFAULT_PORT_NAMES, only = EXPANDED_OPERATORS }: ExpandOptions = {},
): string | null {
  const surgery = new Surgery(model.graph, model, names);
  for (const node of model.graph.node) {
    const expansion = only.includes(operatorOf(node)) && EXPANSIONS.get(operatorOf(node));
    const why = expansion ? expansion.why(node, surgery) : null;
    if (why !== null) return `${nodeInWords(node)} ${why}`;
  }
  return null;
}

export interface ExpandOptions {
  /** of the graph's inputs, where they are not the usual ones */
  names?: PortNames;
  /** operators to expand, as `EXPANDED_OPERATORS` names them; all where left out */
  only?: readonly string[];
}

/**
 * @param model is edited in place
 * @returns the operators that were expanded, each once
 * @throws GraphError naming the first node that cannot be expanded; the model is then as it was
 */
export function expandOperators(model: OnnxModel, options: ExpandOptions = {}): string[] {
  const { names = DEFAULT_PORT_NAMES, only = EXPANDED_OPERATORS } = options;
  const { graph } = model;
  const wanted = (operator: string) => only.includes(operator) && EXPANSIONS.has(operator);
  const found = new Set(graph.node.map(operatorOf).filter(wanted));
  if (found.size === 0) return [];
  const why = whyNotExpanded(model, options);
  if (why !== null)
    throw new GraphError(`This graph cannot be written in plain operators: ${why}.`);
  const surgery = new Surgery(graph, model, names);
  surgery.demandOpset();
  for (const node of graph.node) {
    const operator = operatorOf(node);
    const expansion = found.has(operator) ? EXPANSIONS.get(operator) : undefined;
    if (expansion) expansion.expand(node, surgery);
    else surgery.nodes.push(node);
  }
  surgery.finish();
  removeUnused(graph);
  return [...found];
}
