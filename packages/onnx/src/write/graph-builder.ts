/**
 * An ONNX graph while it is written: nodes, the values between them by name, and the tensors that a file brings (initializers). Nothing is read here: an
 * initializer says how its bytes come from the weights, and is asked for them when the file is written, one after the other.
 */
import { sizeOf } from '@franca/tensor';
import { toHalf } from './half';
import { ATTRIBUTE_TYPES, type AttributeMessage, DATA_TYPES, type DataType, type NodeMessage } from './onnx-messages';

/** How weights and arithmetic of linear layers are kept; see the README of this package. */
export type Precision = 'f32' | 'f16' | 'q8';

/** Values of a weight by official name, checked. */
export type ReadWeight = (name: string) => Promise<ArrayLike<number>>;

/** A tensor that the file brings. */
export interface Initializer {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly number[];
  /** Its elements, row-major. */
  readonly values: (read: ReadWeight) => Promise<ArrayLike<number>>;
}

/** An attribute of a node: whole numbers are `ints` or `i`, `{ f }` is a real number, a text is `s`. */
export type Attribute = number | readonly number[] | string | { readonly f: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface GraphBuilder {
  readonly precision: Precision;
  readonly nodes: readonly NodeMessage[];
  readonly initializers: readonly Initializer[];
  /** The same graph, for a module of the model: names of its nodes and weights begin with it. */
  within(module: string): GraphBuilder;
  /** Adds a node with one output and gives the name of that. */
  add(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** Adds a node with several outputs. */
  addMany(op: string, inputs: readonly string[], outputs: number, attributes?: Attributes): readonly string[];
  /** Shape of a weight of this module. */
  shapeOf(weight: string): readonly number[];
  /** A weight of this module as it is, in f32 or f16. */
  weight(name: string, type?: 'f32' | 'f16'): string;
  /** A tensor of this module that is made from its weights. */
  initializer(made: Initializer): string;
  /** Gives a value the name of an output of the graph. */
  output(name: string, value: string): void;
  /** Whole numbers [n], or one number without an axis. */
  whole(values: number | readonly number[]): string;
  /** Real numbers, likewise. */
  real(values: number | readonly number[], type?: 'f32' | 'f16'): string;
}

/** A graph of a model whose weights have the shapes `shapes`, by official name. */
export function graphBuilder(shapes: Readonly<Record<string, readonly number[]>>, precision: Precision): GraphBuilder {
  const nodes: NodeMessage[] = [];
  const initializers = new Map<string, Initializer>();
  const constants = new Map<string, string>();
  const counts = new Map<string, number>();

  const unique = (name: string): string => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  };
  const keep = (made: Initializer): string => {
    if (!initializers.has(made.name)) initializers.set(made.name, made);
    return made.name;
  };
  const constant = (type: 'i64' | 'f32' | 'f16', values: number | readonly number[]): string => {
    const list = typeof values === 'number' ? [values] : values;
    const dims = typeof values === 'number' ? [] : [list.length];
    const key = `${type} ${dims} ${list.join()}`;
    if (!constants.has(key)) constants.set(key, unique(`constant_${type}`));
    return keep({ name: constants.get(key)!, type, dims, values: async () => list });
  };

  const builderOf = (module: string): GraphBuilder => {
    const full = (name: string): string => (module === '' ? name : `${module}.${name}`);
    const shapeOf = (name: string): readonly number[] => shapes[full(name)]!;
    const addMany: GraphBuilder['addMany'] = (opType, input, outputs, attributes = {}) => {
      const name = unique(`${module}/${opType}`);
      const output = Array.from({ length: outputs }, (_, i) => (outputs === 1 ? name : `${name}/${i}`));
      nodes.push({ name, opType, input, output, attribute: Object.entries(attributes).map(attributeOf) });
      return output;
    };
    return {
      precision,
      nodes,
      get initializers() {
        return [...initializers.values()];
      },
      within: (name) => builderOf(full(name)),
      add: (op, inputs, attributes) => addMany(op, inputs, 1, attributes)[0]!,
      addMany,
      shapeOf,
      weight: (name, type = 'f32') =>
        keep({ name: full(name), type, dims: shapeOf(name), values: (read) => read(full(name)) }),
      initializer: (made) =>
        keep({ ...made, name: full(made.name), values: (read) => made.values((name) => read(full(name))) }),
      output: (name, value) =>
        void nodes.push({ name, opType: 'Identity', input: [value], output: [name], attribute: [] }),
      whole: (values) => constant('i64', values),
      real: (values, type = 'f32') => constant(type, values),
    };
  };
  return builderOf('');
}

const BYTES: Readonly<Record<DataType, number>> = { f32: 4, f16: 2, u8: 1, i64: 8 };

/** Bytes that an initializer takes. */
export const byteLengthOf = ({ type, dims }: Initializer): number => sizeOf(dims) * BYTES[type];

/** `to` of a Cast. */
export const castTo = (type: DataType): Attributes => ({ to: DATA_TYPES[type] });

/** The little-endian elements of an initializer. @throws OnnxError `model` for numbers that its type does not hold */
export async function bytesOf({ type, name, values }: Initializer, read: ReadWeight): Promise<Uint8Array> {
  const list = await values(read);
  if (type === 'f16') return toHalf(list, name);
  if (type === 'u8') return Uint8Array.from(list);
  const array = type === 'f32' ? new Float32Array(list) : BigInt64Array.from(Array.from(list, BigInt));
  return new Uint8Array(array.buffer);
}

function attributeOf([name, value]: [string, Attribute]): AttributeMessage {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPES.i, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPES.s, s: new TextEncoder().encode(value) };
  if ('f' in value) return { name, type: ATTRIBUTE_TYPES.f, f: value.f };
  return { name, type: ATTRIBUTE_TYPES.ints, ints: value };
}
