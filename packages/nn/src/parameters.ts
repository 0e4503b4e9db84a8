/**
 * Parameters: a flat record from dotted official names (`blocks.0.attn.qkv.weight`) to shapes and initial values. Modules are functions
 * that look their tensors up by the last part of the name; `within` narrows a look-up to a sub-module. There are no module objects.
 */
import {
  cast,
  type DType,
  keptCast,
  philox,
  type Seed,
  type Shape,
  seedWords,
  sizeOf,
  type Tensor,
  TensorError,
  toUniform,
} from '@franca/tensor';

export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly std: number }
  /** Uniform on [-bound, bound]. */
  | { readonly kind: 'uniform'; readonly bound: number };

export interface ParameterSpec {
  readonly shape: Shape;
  readonly dtype: 'f32';
  readonly init: Init;
}

/** Parameters of a module by dotted name. */
export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

/**
 * Looks a tensor up by name; throws if there is none. `dtype` is the type that it is used in: it comes in that type where a copy is kept, else as it is.
 */
export type Parameters = (name: string, dtype?: DType) => Tensor;

export const ZEROS: Init = { kind: 'constant', value: 0 };
export const ONES: Init = { kind: 'constant', value: 1 };
export const normal = (std: number): Init => ({ kind: 'normal', std });
export const uniform = (bound: number): Init => ({ kind: 'uniform', bound });

export const parameter = (shape: Shape, init: Init): ParameterSpec => ({ shape, dtype: 'f32', init });

/** The same parameters under `prefix.`. */
export const prefixed = (prefix: string, specs: ParameterSpecs): ParameterSpecs =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [`${prefix}.${name}`, spec]));

/** A look-up over named tensors; `copies` are those of them that are kept in another type, too, as `copiesOf` lays them out. */
export function parametersOf(
  tensors: Readonly<Record<string, Tensor>>,
  copies: Readonly<Record<string, Tensor>> = {},
): Parameters {
  return (name, dtype) => {
    const tensor = tensors[name];
    if (!tensor)
      throw new TensorError(
        'argument',
        `no parameter "${name}"; there are ${nearest(name, Object.keys(tensors)).join(', ')}`,
      );
    const copy = copies[name];
    return copy && copy.dtype === dtype ? keptCast(tensor, copy) : tensor;
  };
}

/** A parameter in the type that it is used in. */
export const parameterAs = (parameters: Parameters, name: string, dtype: DType): Tensor =>
  cast(parameters(name, dtype), dtype);

/** The part of a look-up below `prefix.`. */
export const within =
  (parameters: Parameters, prefix: string): Parameters =>
  (name, dtype) =>
    parameters(`${prefix}.${name}`, dtype);

/** The names that share the longest start with `name`. */
function nearest(name: string, names: readonly string[]): string[] {
  const common = (other: string) => [...other].findIndex((letter, i) => letter !== name[i]);
  return [...names].sort((a, b) => common(b) - common(a)).slice(0, 4);
}

/** Number of elements. */
export const countParameters = (specs: ParameterSpecs): number =>
  Object.values(specs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Initial values of one parameter: a pure function of seed and name, whatever else the model holds. Normals come in pairs (Box-Muller). */
export function initialValues(name: string, { shape, init }: ParameterSpec, seed: Seed): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (init.kind === 'constant') return values.fill(init.value);
  const stream = streamOf(name);
  const key = seedWords(seed);
  for (let i = 0; i < values.length; i += 4) {
    const u = philox([i / 4, stream, 0, 0], key).map(toUniform);
    for (let j = 0; j < Math.min(4, values.length - i); j++)
      values[i + j] = init.kind === 'uniform' ? init.bound * (2 * u[j]! - 1) : init.std * pairedNormal(u, j);
  }
  return values;
}

/** Normal j of four from four uniforms. */
function pairedNormal(u: readonly number[], j: number): number {
  const [a, b] = j < 2 ? [u[0]!, u[1]!] : [u[2]!, u[3]!];
  return Math.sqrt(-2 * Math.log(1 - a)) * (j % 2 === 0 ? Math.cos(2 * Math.PI * b) : Math.sin(2 * Math.PI * b));
}

/** The random stream of a parameter: FNV-1a of its name, 32 bits. */
export function streamOf(name: string): number {
  let value = 0x811c9dc5;
  for (const letter of name) value = Math.imul(value ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  return value;
}
