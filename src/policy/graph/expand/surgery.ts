/**
 * What an expansion works with: the graph it reads, the nodes and constants that it writes in place of one node.
 *
 * Contract: `node` and the constants answer with a name that can be read from then on; what several nodes need
 * (positions, masks, shapes) is written once, before the first of them. Names begin with `lab.`, which no
 * exporter uses.
 */
import {
  TensorProto_DataType,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from 'onnx-buf';
import { elementTypeOf, floats, integers, nodeOf, type AttributeValue } from '../make';
import type { PortNames } from '../ports';
import { GraphError, type OnnxModel } from '../proto';

const { FLOAT, FLOAT16 } = TensorProto_DataType;

/** Slices and squeezes take their axes as inputs since this opset. */
const LEAST_OPSET = 13;
/** ReduceMean takes its axes as an input since this one. */
const REDUCE_AXES_INPUT = 18;
/** Additive mask. Finite, so that a row in which nothing is visible gives a uniform softmax, never NaN. */
const CLOSED = { [FLOAT]: -1e9, [FLOAT16]: -6e4 };

export type FloatType = typeof FLOAT | typeof FLOAT16;

/** The operator of a node, contributed ones by their domain. */
export const operatorOf = ({ domain, opType }: NodeProto) =>
  domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;

/** One operator, or several alike, in plain ones. */
export interface Expansion {
  /** as `operatorOf` writes them */
  operators: readonly string[];
  /** Why this node cannot be written in plain operators, to be read behind its name; null: it can. */
  why(node: NodeProto, surgery: Surgery): string | null;
  /** Writes what computes the node's outputs, by their names. */
  expand(node: NodeProto, surgery: Surgery): void;
}

export class Surgery {
  readonly opset: number;
  readonly nodes: NodeProto[] = [];
  private readonly constants = new Map<string, TensorProto>();
  private readonly added: TensorProto[] = [];
  private readonly once = new Map<string, string>();
  private count = 0;

  constructor(
    readonly graph: GraphProto,
    { proto }: Pick<OnnxModel, 'proto'>,
    readonly names: PortNames,
    /** of the names of what is written */
    private readonly prefix = 'lab.expand',
  ) {
    const standard = proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
    this.opset = Number(standard?.version ?? 0);
    for (const tensor of graph.initializer) this.constants.set(tensor.name, tensor);
    for (const node of graph.node) {
      const value = node.opType === 'Constant' && node.attribute.find(({ t }) => t)?.t;
      if (value) this.constants.set(node.output[0], value);
    }
  }

  /** @throws GraphError where the graph is too old for what is written here */
  demandOpset(): void {
    if (this.opset >= LEAST_OPSET) return;
    throw new GraphError(
      `The graph is of opset ${this.opset}; its operators can be expanded from opset ${LEAST_OPSET} on.`,
    );
  }

  constant(name: string | undefined): TensorProto | null {
    return (name !== undefined && this.constants.get(name)) || null;
  }

  /** @returns the name of the node's output: `output`, or a new one */
  node(
    opType: string,
    input: string[],
    attributes: Record<string, AttributeValue> = {},
    output = this.fresh(opType),
  ): string {
    this.nodes.push(nodeOf(opType, input, output, attributes));
    return output;
  }

  integers(value: number | number[]): string {
    return this.shared(`integers ${JSON.stringify(value)}`, () =>
      this.keep(integers(this.fresh('integers'), value)),
    );
  }

  floats(dims: number[], values: ArrayLike<number>, type: FloatType): string {
    return this.keep(floats(this.fresh('floats'), dims, values, type));
  }

  scalar(value: number, type: FloatType): string {
    return this.shared(`scalar ${value} ${type}`, () => this.floats([], [value], type));
  }

  /** Under a name that is told apart where it is taken. */
  weight(name: string, dims: number[], values: ArrayLike<number>, type: FloatType): string {
    let own = name;
    while (this.constants.has(own)) own = `${this.prefix}.${own}`;
    return this.keep(floats(own, dims, values, type));
  }

  /** Written at the first call, read at all. */
  shared(key: string, write: () => string): string {
    const known = this.once.get(key);
    if (known !== undefined) return known;
    const name = write();
    this.once.set(key, name);
    return name;
  }

  /** Float type of a tensor that is a constant or an input of the graph. */
  floatType(...names: (string | undefined)[]): FloatType {
    for (const name of names) {
      const port = this.graph.input.find((info) => info.name === name);
      const type = this.constant(name)?.dataType ?? (port && elementTypeOf(port));
      if (type === FLOAT16 || type === FLOAT) return type;
    }
    return FLOAT;
  }

  /** Mean over the last axis, which is kept. */
  mean(x: string): string {
    return this.opset >= REDUCE_AXES_INPUT
      ? this.node('ReduceMean', [x, this.integers([-1])], { keepdims: 1 })
      : this.node('ReduceMean', [x], { axes: [-1], keepdims: 1 });
  }

  /** A shape from the batch and the length of what is fed, and fixed sizes; -1 where the rest goes. */
  shape(...sizes: (number | 'batch' | 'length')[]): string {
    return this.shared(`shape ${sizes.join()}`, () => {
      const parts = sizes.map((size) =>
        typeof size === 'number' ? this.integers([size]) : this.size(size),
      );
      return this.node('Concat', parts, { axis: 0 });
    });
  }

  /** int64 [1] */
  size(of: 'batch' | 'length'): string {
    const at = of === 'batch' ? 0 : 1;
    return this.shared(of, () =>
      this.node('Slice', [this.fedShape(), this.integers([at]), this.integers([at + 1])]),
    );
  }

  /** Whether the graph has an int64 mask, which positions are taken from. */
  get hasMask(): boolean {
    const port = this.graph.input.find(({ name }) => name === this.names.mask);
    return port !== undefined && elementTypeOf(port) === TensorProto_DataType.INT64;
  }

  /** int64 [batch, past + length] position of each key among those that its row attends to; -1 in left padding */
  keyPositions(): string {
    return this.shared('key positions', () =>
      this.node('Sub', [
        this.node('CumSum', [this.names.mask, this.integers(1)]),
        this.integers(1),
      ]),
    );
  }

  /** int64 [batch, length], the same of the tokens that are fed, which are the last */
  queryPositions(): string {
    return this.shared('query positions', () =>
      this.node('Slice', [
        this.keyPositions(),
        this.node('Neg', [this.size('length')]),
        this.integers([2 ** 40]),
        this.integers([1]),
      ]),
    );
  }

  /** The same, 0 in left padding, so that tables can be read. */
  rows(): string {
    return this.shared('rows', () => this.node('Max', [this.queryPositions(), this.integers(0)]));
  }

  /**
   * [batch, 1, length, past + length] 0 where a query sees a key, else as good as minus infinity.
   * @param window keys that a query sees, itself among them; null: all before it
   */
  bias(window: number | null, type: FloatType): string {
    return this.shared(`bias ${window} ${type}`, () => {
      const keyAxes = this.integers([1, 2]);
      const keys = this.node('Unsqueeze', [this.keyPositions(), keyAxes]);
      const queries = this.node('Unsqueeze', [this.queryPositions(), this.integers([1, 3])]);
      const there = this.node('Greater', [
        this.node('Unsqueeze', [this.names.mask, keyAxes]),
        this.integers(0),
      ]);
      let visible = this.node('And', [this.node('LessOrEqual', [keys, queries]), there]);
      if (window !== null) {
        const near = this.node('Less', [this.node('Sub', [queries, keys]), this.integers(window)]);
        visible = this.node('And', [visible, near]);
      }
      const [open, closed] = [this.scalar(0, type), this.scalar(CLOSED[type], type)];
      return this.node('Where', [visible, open, closed]);
    });
  }

  /** The graph gets what was written. */
  finish(): void {
    this.graph.node = this.nodes;
    this.graph.initializer.push(...this.added);
  }

  private fedShape(): string {
    // Positions rather than ids, where there are any: onnxruntime reads back what it takes the shape of.
    const { positions, tokens } = this.names;
    const fed = this.graph.input.some(({ name }) => name === positions) ? positions : tokens;
    return this.shared('fed shape', () => this.node('Shape', [fed]));
  }

  private keep(tensor: TensorProto): string {
    this.added.push(tensor);
    this.constants.set(tensor.name, tensor);
    return tensor.name;
  }

  private fresh(what: string): string {
    return `${this.prefix}.${this.count++}.${what}`;
  }
}

/** Attributes of a node, read with what an operator takes where one is left out. */
export class Attributes {
  private readonly byName: Map<string, AttributeProto>;

  constructor({ attribute }: NodeProto) {
    this.byName = new Map(attribute.map((one) => [one.name, one]));
  }

  integer(name: string, otherwise = 0): number {
    return Number(this.byName.get(name)?.i ?? otherwise);
  }

  float(name: string, otherwise = 0): number {
    return this.byName.get(name)?.f ?? otherwise;
  }
}
