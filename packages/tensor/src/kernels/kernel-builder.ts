/**
 * Builds kernels: numbers their bindings and uniforms and writes the declarations. A kernel is WGSL text, the tensors it binds and how many
 * workgroups to run. Shapes and loop bounds are passed as uniforms, never baked into the text, so that one pipeline serves every shape (and
 * so that the software adapter's compiler does not unroll loops). An op only writes the body.
 */
import { BYTES_PER_ELEMENT, type DType } from '../base/dtype';
import { TensorError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Access, Binding, Kernel, KernelKind, Scratch, Spec, Storage } from '../graph/op';

export const scratch = (shape: readonly number[], dtype: DType): Scratch => ({ shape, dtype, scratch: true });
export const isScratch = (storage: Storage): storage is Scratch => 'scratch' in storage;

/** What a kernel is, beside its bindings and uniforms. */
export interface KernelSource {
  /** Statements of `main`. In scope: `lane` (index in the workgroup), `group` (linear workgroup index), `thread` (linear invocation index), `wid`, and `sgLane`, `sgSize`, `sgId` (index of the subgroup in the workgroup) with subgroups. */
  readonly body: string;
  /** Functions, structs, workgroup variables and constants above `main`. */
  readonly declarations?: string;
  readonly workgroupSize: number;
  /** A linear count (split over two dimensions when it exceeds the limit) or an explicit grid. */
  readonly workgroups: number | readonly [number, number, number];
  readonly flops?: number;
  /** Default `elementwise`. */
  readonly kind?: KernelKind;
  /** Iterations of the longest loop of one thread over memory (see `Kernel`); to be stated wherever there is a loop, 1 if it walks no memory. */
  readonly serial?: number;
  /** Elements that the kernel touches of a tensor, where these are not all of it. */
  readonly touched?: ReadonlyMap<Storage, number>;
}

export interface KernelBuilder {
  readonly target: Target;
  /** Binds a tensor for reading; returns its WGSL variable, an `array<type>`. */
  read(tensor: Storage, type?: string): string;
  /** Binds a tensor for writing; binding one twice returns the same variable. */
  write(tensor: Storage, type?: string): string;
  /** Binds a tensor to be read and then overwritten: its bytes move twice. */
  update(tensor: Storage, type?: string): string;
  /** A u32 in the uniform block; returns its WGSL expression. */
  uniform(value: number): string;
  /** An f32 in the uniform block; returns its WGSL expression. */
  uniformF32(value: number): string;
  /** WGSL extension to enable. */
  enable(extension: string): void;
  /** @throws TensorError `argument` for a loop of which `serial` says nothing */
  build(source: KernelSource): Kernel;
}

const MAX_GROUPS = 65535;

/** Splits a linear count of workgroups over x and y; `group` in the kernel is linear again and must be checked against the count. */
function linearGrid(count: number): [number, number, number] {
  if (count <= MAX_GROUPS) return [Math.max(count, 1), 1, 1];
  const rows = Math.ceil(count / MAX_GROUPS);
  return [Math.ceil(count / rows), rows, 1];
}

/** The WGSL type of `width` elements of a tensor: `f32`, `vec4<f16>`, ... */
export const elementType = (tensor: Spec, width: 1 | 4 = 1): string =>
  width === 1 ? tensor.dtype : `vec4<${tensor.dtype}>`;

interface NamedBinding extends Binding {
  readonly name: string;
  readonly type: string;
  /** How often each byte moves. */
  readonly passes: number;
}

interface Uniform {
  readonly bits: number;
  readonly type: 'u32' | 'f32';
}

export function kernelBuilder(label: string, target: Target): KernelBuilder {
  const bindings: NamedBinding[] = [];
  const uniforms: Uniform[] = [];
  const extensions = new Set<string>();

  function bind(tensor: Storage, access: Access, type: string, passes = 1): string {
    const at = bindings.findIndex((binding) => binding.tensor === tensor && binding.type === type);
    const known = bindings[at];
    if (known) {
      const own = known.access === access ? passes : 2;
      bindings[at] = {
        ...known,
        access: access === 'read_write' ? access : known.access,
        passes: Math.max(known.passes, own),
      };
      return known.name;
    }
    const name = `t${bindings.length}`;
    if (type.includes('f16')) extensions.add('f16');
    bindings.push({ tensor, access, name, type, passes });
    return name;
  }

  function uniform(bits: number, type: 'u32' | 'f32'): string {
    uniforms.push({ bits, type });
    return `u.v${uniforms.length - 1}`;
  }

  return {
    target,
    read: (tensor, type = elementType(tensor)) => bind(tensor, 'read', type),
    write: (tensor, type = elementType(tensor)) => bind(tensor, 'read_write', type),
    update: (tensor, type = elementType(tensor)) => bind(tensor, 'read_write', type, 2),
    uniform: (value) => uniform(value >>> 0, 'u32'),
    uniformF32: (value) => uniform(new Uint32Array(new Float32Array([value]).buffer)[0]!, 'f32'),
    enable: (extension) => void extensions.add(extension),
    build: (source) => ({
      label,
      wgsl: moduleText(source, bindings, uniforms, extensions, target),
      bindings: bindings.map(({ tensor, access }) => ({ tensor, access })),
      uniforms: Uint32Array.from(uniforms, ({ bits }) => bits),
      workgroups: typeof source.workgroups === 'number' ? linearGrid(source.workgroups) : source.workgroups,
      kind: source.kind ?? 'elementwise',
      flops: source.flops ?? 0,
      bytes: bindings.reduce((sum, binding) => sum + bytesOf(binding, source.touched), 0),
      serial: serialOf(label, source),
    }),
  };
}

function bytesOf({ tensor, passes }: NamedBinding, touched: KernelSource['touched']): number {
  const all = sizeOf(tensor.shape);
  return Math.min(touched?.get(tensor) ?? all, all) * BYTES_PER_ELEMENT[tensor.dtype] * passes;
}

const LOOP = /\b(for|while) \(|\bloop \{/;

function serialOf(label: string, { body, declarations = '', serial }: KernelSource): number {
  if (serial === undefined && LOOP.test(body + declarations))
    throw new TensorError(
      'argument',
      `kernel ${label} has a loop; state in \`serial\` how many of its steps one thread takes over memory, 1 if it takes none`,
    );
  return Math.max(serial ?? 1, 1);
}

/** The whole module: extensions, uniforms, bindings, declarations and `main`. */
function moduleText(
  { body, declarations, workgroupSize }: KernelSource,
  bindings: readonly NamedBinding[],
  uniforms: readonly Uniform[],
  enabled: ReadonlySet<string>,
  { statesSubgroupSize, subgroupSize }: Target,
): string {
  const text = body + (declarations ?? '');
  const usesSubgroups = /\bsg(Lane|Size|Id)\b|\bsubgroup[A-Z]/.test(text);
  const extensions = new Set(enabled);
  if (usesSubgroups) extensions.add('subgroups');
  const statesSize = usesSubgroups && statesSubgroupSize;
  if (statesSize) extensions.add('subgroup_size_control');
  if (text.includes('subgroup_matrix_')) extensions.add('chromium_experimental_subgroup_matrix');
  const fields = uniforms.map(({ type }, i) => `v${i}: ${type}`).join(', ');
  return [
    ...[...extensions].sort().map((extension) => `enable ${extension};`),
    ...(uniforms.length > 0
      ? [`struct Uniforms { ${fields} }`, '@group(0) @binding(0) var<uniform> u: Uniforms;']
      : []),
    ...bindings.map(
      ({ name, access, type }, i) => `@group(0) @binding(${i + 1}) var<storage, ${access}> ${name}: array<${type}>;`,
    ),
    ...(declarations ? [declarations] : []),
    `@compute @workgroup_size(${workgroupSize})${statesSize ? ` @subgroup_size(${subgroupSize})` : ''}`,
    'fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lane: u32' +
      `${usesSubgroups ? ', @builtin(subgroup_invocation_id) sgLane: u32, @builtin(subgroup_size) sgSize: u32' : ''}` +
      `${/\bsgId\b/.test(text) ? ', @builtin(subgroup_id) sgId: u32' : ''}) {`,
    '  let group = wid.x + wid.y * nwg.x;',
    `  let thread = group * ${workgroupSize}u + lane;`,
    body,
    '}',
  ].join('\n');
}
