/**
 * An elementwise program: straight-line code over one iteration space, `stores[j][i] = f(loads..., root)[i]` for every element i.
 * A chain of elementwise ops becomes one program and so one kernel; behind a matmul the same program becomes its epilogue, where
 * `root` is the product. `writeProgram` turns a program into a WGSL function `emit(i, root)`, which works on 4 elements at a time
 * wherever the shapes allow.
 */
import { isFloat } from '../base/dtype';
import { broadcastStrides, type Shape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Kernel, Program, Spec, Tensor } from '../graph/op';
import { elementType, type KernelBuilder, kernelBuilder } from './kernel-builder';

/** The program that stores its root and nothing else. */
export const storeRoot = (tensor: Tensor): Program => ({
  shape: tensor.shape,
  values: [{ kind: 'root', dtype: tensor.dtype }],
  stores: [{ value: 0, tensor, into: tensor }],
});

type AccessPattern =
  | { kind: 'same' }
  | { kind: 'scalar' }
  | { kind: 'tail'; size: number }
  | { kind: 'head'; inner: number }
  | { kind: 'general'; dims: number[]; strides: number[] };

/** How element i of the iteration space finds its element of a tensor seen as `shape`. */
function accessPattern(shape: Shape, space: Shape): AccessPattern {
  const size = sizeOf(shape);
  if (size === sizeOf(space)) return { kind: 'same' };
  if (size === 1) return { kind: 'scalar' };
  const lead = space.length - shape.length;
  const dims = space.map((_, i) => (i < lead ? 1 : shape[i - lead]!));
  const stretched = space.map((dim, i) => dims[i] === 1 && dim !== 1);
  const matters = space.map((dim, i) => dim !== 1 && !stretched[i]);
  const first = matters.indexOf(true);
  const last = matters.lastIndexOf(true);
  const between = stretched.slice(first, last + 1).some(Boolean);
  if (!between && !stretched.slice(last + 1).some(Boolean)) return { kind: 'tail', size };
  if (!between && !stretched.slice(0, first).some(Boolean))
    return { kind: 'head', inner: sizeOf(space.slice(last + 1)) };
  return { kind: 'general', ...collapse(space, broadcastStrides(shape, space)) };
}

/** Merges neighbouring dimensions that one stride can walk. */
function collapse(space: Shape, strides: readonly number[]): { dims: number[]; strides: number[] } {
  const dims: number[] = [];
  const out: number[] = [];
  space.forEach((dim, i) => {
    if (dim === 1) return;
    const previous = dims.length - 1;
    if (previous >= 0 && out[previous] === strides[i]! * dim) {
      dims[previous]! *= dim;
      out[previous] = strides[i]!;
    } else {
      dims.push(dim);
      out.push(strides[i]!);
    }
  });
  return { dims, strides: out };
}

function canVectorise(pattern: AccessPattern): boolean {
  if (pattern.kind === 'tail') return pattern.size % 4 === 0;
  if (pattern.kind === 'head') return pattern.inner % 4 === 0;
  if (pattern.kind === 'general')
    return (
      pattern.dims.at(-1)! % 4 === 0 &&
      pattern.strides.at(-1)! <= 1 &&
      pattern.strides.slice(0, -1).every((s) => s % 4 === 0 || pattern.strides.at(-1) === 0)
    );
  return true;
}

/** 4 if the program can work on vectors of 4 consecutive elements, else 1. */
export function programWidth(program: Program): 1 | 4 {
  const loads = program.values.filter((value) => value.kind === 'load');
  const vector =
    sizeOf(program.shape) % 4 === 0 && loads.every((load) => canVectorise(accessPattern(load.shape, program.shape)));
  return vector ? 4 : 1;
}

/** WGSL name of a computed value of `dtype`: `F`, `I` or `U`, a scalar or a vec4 by the program's width. Floats compute in f32. */
const valueType = (dtype: Spec['dtype']): string => (isFloat(dtype) ? 'F' : dtype === 'i32' ? 'I' : 'U');

const literal = (value: number, dtype: Spec['dtype']): string => {
  if (!isFloat(dtype)) return `${valueType(dtype)}(${dtype === 'i32' ? `i32(${value})` : `${value >>> 0}u`})`;
  const f32 = Math.fround(value);
  return `F(${Number.isInteger(f32) && Math.abs(f32) < 1e9 ? `${f32}.0` : f32.toExponential()}f)`;
};

/**
 * Declares the program's bindings on `k` and returns the WGSL of its type aliases and of `fn emit(i: u32, root: F)`, where i counts
 * units of `width` elements of the iteration space.
 */
export function writeProgram(k: KernelBuilder, program: Program, width: 1 | 4): string {
  const lines: string[] = [];
  const vec = (type: string) => (width === 4 ? `vec4<${type}>` : type);
  const helpers = new Set<string>();
  const stored = new Set(program.stores.map(({ into }) => into));
  const names = program.values.map((value, i) => {
    const name = `x${i}`;
    let expression: string;
    let dtype: Spec['dtype'];
    if (value.kind === 'load') {
      dtype = value.tensor.dtype;
      expression = loadExpression(
        k,
        value.tensor,
        accessPattern(value.shape, program.shape),
        width,
        stored.has(value.tensor),
        lines,
        name,
      );
    } else if (value.kind === 'literal') {
      dtype = value.dtype;
      return literal(value.value, dtype);
    } else if (value.kind === 'root') {
      dtype = value.dtype;
      expression = 'root';
    } else {
      const { op, attrs } = value.node;
      dtype = value.node.outputs[0]!.dtype;
      const args = value.args.map((arg) => `x${arg}`);
      expression = op.expression!(args, attrs);
    }
    if (value.kind !== 'load' && dtype === 'f16') expression = `quantizeToF16(${expression})`;
    lines.push(`  let ${name} = ${expression};`);
    return name;
  });
  // literals are inlined: replace their names where they are used
  const literals = names.map((name, i) => (name === `x${i}` ? undefined : name));
  const inline = (text: string) =>
    text.replace(/\bx(\d+)\b/g, (whole, index: string) => literals[Number(index)] ?? whole);
  for (const { value, into } of program.stores) {
    const name = k.write(into, elementType(into, width));
    const converted = into.dtype === 'f16' ? `${vec('f16')}(x${value})` : `x${value}`;
    lines.push(`  ${name}[i] = ${converted};`);
  }
  const body = lines.map(inline);
  const text = body.join('\n');
  for (const [key, source] of Object.entries(WGSL_HELPERS)) if (text.includes(`${key}(`)) helpers.add(source);
  return [
    `alias F = ${vec('f32')}; alias I = ${vec('i32')}; alias U = ${vec('u32')};`,
    ...helpers,
    'fn emit(i: u32, root: F) {',
    text,
    '}',
  ].join('\n');
}

function loadExpression(
  k: KernelBuilder,
  tensor: Tensor,
  pattern: AccessPattern,
  width: 1 | 4,
  inPlace: boolean,
  lines: string[],
  name: string,
): string {
  const bind = (w: 1 | 4) =>
    inPlace ? k.write(tensor, elementType(tensor, w)) : k.read(tensor, elementType(tensor, w));
  const type = valueType(tensor.dtype);
  const load = (w: 1 | 4, index: string): string => {
    const element = `${bind(w)}[${index}]`;
    const wide = tensor.dtype === 'f16' && w !== width ? `f32(${element})` : element;
    return tensor.dtype === 'f16' || w !== width ? `${type}(${wide})` : element;
  };
  switch (pattern.kind) {
    case 'same':
      return load(width, 'i');
    case 'scalar':
      return load(1, '0');
    case 'tail':
      return load(width, `i % ${k.uniform(pattern.size / width)}`);
    case 'head':
      return load(1, `i / ${k.uniform(pattern.inner / width)}`);
    case 'general': {
      const { dims, strides } = pattern;
      const splat = width === 4 && strides.at(-1) === 0;
      const unit = splat ? 1 : width;
      lines.push(`  var r${name} = i; var o${name} = 0u;`);
      for (let d = dims.length - 1; d >= 0; d--) {
        const last = d === dims.length - 1;
        const dim = last ? dims[d]! / width : dims[d]!;
        const stride = last ? (splat || strides[d] === 0 ? 0 : 1) : strides[d]! / unit;
        const dimName = k.uniform(dim);
        lines.push(`  o${name} += (r${name} % ${dimName}) * ${k.uniform(stride)}; r${name} /= ${dimName};`);
      }
      return load(splat ? 1 : width, `o${name}`);
    }
  }
}

/** WGSL functions an expression may call; each is emitted only where used. `F` is f32 or vec4<f32>. */
const WGSL_HELPERS: Readonly<Record<string, string>> = {
  // Below 0.75 the Maclaurin series to a^13 (remainder under 2e-8); above it 1 - erfc by a Chebyshev fit in 1 / (1 + a/2) with relative
  // error 1.2e-7 of the complement (Press et al., Numerical Recipes, section 6.2).
  erf: `fn erf(x: F) -> F {
  let a = min(abs(x), F(4.0));
  let t = F(1.0) / (F(1.0) + F(0.5) * a);
  let tail = F(1.0) - t * exp(-a * a - F(1.26551223) + t * (F(1.00002368) + t * (F(0.37409196) + t * (F(0.09678418) + t * (F(-0.18628806)
    + t * (F(0.27886807) + t * (F(-1.13520398) + t * (F(1.48851587) + t * (F(-0.82215223) + t * F(0.17087277))))))))));
  let s = a * a;
  let core = a * (F(1.1283791671) + s * (F(-0.3761263890) + s * (F(0.1128379167) + s * (F(-0.0268661706) + s * (F(0.0052239776) + s * (F(-0.0008548327) + s * F(0.0001205533)))))));
  return sign(x) * select(tail, core, a < F(0.75));
}`,
  // Phi(x), given e^(-x^2 / 2): 1 - Phi(|x|) by a polynomial in 1 / (1 + p |x| / sqrt 2), absolute error 7.5e-8 (Abramowitz & Stegun,
  // formula 7.1.26). Its exponential is that of the density, which the slope of GELU needs too.
  normalCdf: `fn normalCdf(x: F, e: F) -> F {
  let t = F(1.0) / (F(1.0) + F(0.23164189) * abs(x));
  let tail = e * t * (F(0.127414796) + t * (F(-0.142248368) + t * (F(0.7107068705) + t * (F(-0.7265760135) + t * F(0.5307027145)))));
  return select(F(1.0) - tail, tail, x < F(0.0));
}`,
};

const GROUP = 64;

/** One kernel that runs a program over its whole iteration space. */
export function elementwiseKernel(label: string, program: Program, target: Target): Kernel {
  const k = kernelBuilder(label, target);
  const width = programWidth(program);
  const declarations = writeProgram(k, program, width);
  const units = sizeOf(program.shape) / width;
  const flops = sizeOf(program.shape) * program.values.filter((value) => value.kind === 'op').length;
  // A CPU adapter wants each invocation to walk contiguous memory, a GPU wants neighbours to touch neighbouring memory.
  const perThread = target.family === 'cpu' ? 4 : 1;
  const n = k.uniform(units);
  const body =
    perThread === 1
      ? `  if (thread < ${n}) { emit(thread, F()); }`
      : `  let first = thread * ${perThread}u;\n  for (var j = first; j < min(first + ${perThread}u, ${n}); j++) { emit(j, F()); }`;
  return k.build({
    declarations,
    body,
    workgroupSize: GROUP,
    workgroups: Math.ceil(units / (GROUP * perThread)),
    flops,
  });
}
