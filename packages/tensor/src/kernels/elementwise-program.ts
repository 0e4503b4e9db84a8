/**
 * Elementwise programs as WGSL: `stores[j][i] = f(loads..., root)[i]` for every element i of one space. A chain of elementwise ops becomes
 * one program and so one kernel; behind a matmul the same program becomes its epilogue, where `root` is the product. `writeProgram` turns a
 * program into a WGSL function `emit(i, root)`, which works on 4 elements at a time wherever the shapes allow.
 */
import { type DType, isFloat } from '../base/dtype';
import { type Shape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Kernel, Program, Tensor, Value } from '../graph/op';
import { type AccessPattern, accessPattern, canVectorise } from './access-pattern';
import { type IndexDivision, indexDivision } from './index-division';
import { elementType, type KernelBuilder, kernelBuilder } from './kernel-builder';
import { unitKernel } from './unit-kernel';
import { WGSL_FUNCTIONS } from './wgsl-functions';

/** The program that stores its root and nothing else. */
export const storeRoot = (tensor: Tensor): Program => ({
  shape: tensor.shape,
  values: [{ kind: 'root', dtype: tensor.dtype }],
  stores: [{ value: 0, tensor, into: tensor }],
});

/** 4 if the program can work on vectors of 4 consecutive elements, else 1. */
export function programWidth(program: Program): 1 | 4 {
  const loads = program.values.filter((value) => value.kind === 'load');
  const vector =
    sizeOf(program.shape) % 4 === 0 && loads.every((load) => canVectorise(accessPattern(load.shape, program.shape)));
  return vector ? 4 : 1;
}

/**
 * Declares the program's bindings on `k` and returns the WGSL of its type aliases and of `fn emit(i: u32, root: F)`, where i counts
 * units of `width` elements of the iteration space (`I` or `U` for a root of whole numbers). With `columns`, the length of its rows, an invocation emits one unit of each row alone and
 * calls `fn loadShared(i: u32)` before, with the unit's place in a row: what all rows share, such as a bias, is then loaded once.
 */
export function writeProgram(k: KernelBuilder, program: Program, width: 1 | 4, columns?: number): string {
  const vec = (type: string) => (width === 4 ? `vec4<${type}>` : type);
  const stored = new Set(program.stores.map(({ into }) => into));
  const lines: string[] = [];
  const shared: { declare: string; load: string }[] = [];
  /** WGSL of each value: a variable, or a literal itself. */
  const names: string[] = [];
  for (const [i, value] of program.values.entries()) {
    if (value.kind === 'literal') {
      names.push(literal(value.value, value.dtype));
      continue;
    }
    const name = `x${i}`;
    if (value.kind === 'load') {
      const isShared = sharedByRows(value, program.shape, columns);
      const space = isShared ? value.shape : program.shape;
      const { before, expression } = writeLoad(k, value, space, width, stored.has(value.tensor), name);
      if (isShared)
        shared.push({
          declare: `var<private> ${name}: ${valueType(value.tensor.dtype)};`,
          load: `${name} = ${expression};`,
        });
      else lines.push(...before, `let ${name} = ${expression};`);
    } else lines.push(`let ${name} = ${computed(value, names)};`);
    names.push(name);
  }
  for (const { value, into } of program.stores) {
    const array = k.write(into, elementType(into, width));
    lines.push(`${array}[i] = ${into.dtype === 'f16' ? `${vec('f16')}(${names[value]})` : names[value]};`);
  }
  const text = lines.map((line) => `  ${line}`).join('\n');
  return [
    `alias F = ${vec('f32')}; alias I = ${vec('i32')}; alias U = ${vec('u32')};`,
    ...Object.entries(WGSL_FUNCTIONS).flatMap(([name, source]) => (text.includes(`${name}(`) ? [source] : [])),
    ...shared.map(({ declare }) => declare),
    ...(columns === undefined ? [] : [`fn loadShared(i: u32) { ${shared.map(({ load }) => load).join(' ')} }`]),
    `fn emit(i: u32, root: ${valueType(rootType(program))}) {`,
    text,
    '}',
  ].join('\n');
}

/** Whether every row of `columns` elements loads the same. */
function sharedByRows({ shape }: Extract<Value, { kind: 'load' }>, space: Shape, columns?: number): boolean {
  const pattern = accessPattern(shape, space);
  return pattern.kind === 'tail' && pattern.size === columns;
}

const rootType = ({ values }: Program): DType => values.find((value) => value.kind === 'root')?.dtype ?? 'f32';

/** WGSL name of a computed value of `dtype`: `F`, `I` or `U`, a scalar or a vec4 by the program's width. Floats compute in f32. */
export const valueType = (dtype: DType): string => (isFloat(dtype) ? 'F' : dtype === 'i32' ? 'I' : 'U');

function literal(value: number, dtype: DType): string {
  if (!isFloat(dtype)) return `${valueType(dtype)}(${dtype === 'i32' ? `i32(${value})` : `${value >>> 0}u`})`;
  const f32 = Math.fround(value);
  return `F(${Number.isInteger(f32) && Math.abs(f32) < 1e9 ? `${f32}.0` : f32.toExponential()}f)`;
}

/** The root, or an op of earlier values; what is f16 in the graph is rounded as if it had been stored. */
function computed(value: Extract<Value, { kind: 'root' | 'op' }>, names: readonly string[]): string {
  if (value.kind === 'root') return rounded('root', value.dtype);
  const { op, attrs, outputs } = value.node;
  return rounded(
    op.expression!(
      value.args.map((arg) => names[arg]!),
      attrs,
    ),
    outputs[0]!.dtype,
  );
}

const rounded = (expression: string, dtype: DType): string =>
  dtype === 'f16' ? `quantizeToF16(${expression})` : expression;

/** WGSL of element i of the space, and the statements before it that find where that is. A tensor that is stored too is bound once. */
function writeLoad(
  k: KernelBuilder,
  { tensor, shape }: Extract<Value, { kind: 'load' }>,
  space: Shape,
  width: 1 | 4,
  isStored: boolean,
  name: string,
): { before: string[]; expression: string } {
  const load = (own: 1 | 4, index: string): string => {
    const type = elementType(tensor, own);
    const element = `${isStored ? k.update(tensor, type) : k.read(tensor, type)}[${index}]`;
    const isHalf = tensor.dtype === 'f16';
    const wide = isHalf && own !== width ? `f32(${element})` : element;
    return isHalf || own !== width ? `${valueType(tensor.dtype)}(${wide})` : element;
  };
  const pattern = accessPattern(shape, space);
  const divided = (n: number): IndexDivision => indexDivision(k, n, sizeOf(space) / width);
  switch (pattern.kind) {
    case 'same':
      return { before: [], expression: load(width, 'i') };
    case 'scalar':
      return { before: [], expression: load(1, '0') };
    case 'tail':
      return { before: [], expression: load(width, divided(pattern.size / width).remainder('i')) };
    case 'head':
      return { before: [], expression: load(1, divided(pattern.inner / width).quotient('i')) };
    case 'general': {
      const splat = width === 4 && pattern.strides.at(-1) === 0;
      const before = writeOffset(k, pattern, { width, splat, name, divided });
      return { before, expression: load(splat ? 1 : width, `o${name}`) };
    }
  }
}

interface OffsetScope {
  readonly width: 1 | 4;
  /** One element serves all four. */
  readonly splat: boolean;
  readonly name: string;
  readonly divided: (n: number) => IndexDivision;
}

/** Statements that give `o<name>`: where element i lies in a tensor of any strides. */
function writeOffset(
  k: KernelBuilder,
  { dims, strides }: Extract<AccessPattern, { kind: 'general' }>,
  { width, splat, name, divided }: OffsetScope,
): string[] {
  const lines = [`var r${name} = i; var o${name} = 0u;`];
  for (let d = dims.length - 1; d >= 0; d--) {
    const last = d === dims.length - 1;
    const { quotient, remainder } = divided(last ? dims[d]! / width : dims[d]!);
    const stride = last ? (splat || strides[d] === 0 ? 0 : 1) : strides[d]! / (splat ? 1 : width);
    lines.push(`o${name} += ${remainder(`r${name}`)} * ${k.uniform(stride)}; r${name} = ${quotient(`r${name}`)};`);
  }
  return lines;
}

/** One kernel that runs a program over its whole iteration space. */
export function elementwiseKernel(label: string, program: Program, target: Target): Kernel {
  const k = kernelBuilder(label, target);
  const width = programWidth(program);
  const declarations = writeProgram(k, program, width);
  const units = sizeOf(program.shape) / width;
  const ops = program.values.flatMap((value) => (value.kind === 'op' ? [value.node.op.name] : []));
  const kind = ops.length > 0 && ops.every((name) => name.startsWith('cast to ')) ? 'cast' : 'elementwise';
  const flops = sizeOf(program.shape) * ops.length;
  return unitKernel(k, { units, body: '  emit(i, F());', declarations, flops, kind });
}
