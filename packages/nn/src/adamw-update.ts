/**
 * The kernel of AdamW: one pass over a flat window of weights, moments, gradients, the teacher, and the f16 copies of weights and teacher that products read.
 * `adamw.ts` has the formulas. What differs from parameter to parameter stands in a table, and each block of 128 elements knows its row. A window of copies holds
 * the beginning of the window that it copies. An adapter that binds too few buffers moves the teacher in a kernel of its own.
 */
import {
  elementType,
  type Kernel,
  kernelBuilder,
  type LowerArgs,
  type Op,
  record,
  SEGMENT_ALIGNMENT,
  sizeOf,
  type Tensor,
} from '@franca/tensor';

interface UpdateAttrs {
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
  /** Whether parameters can rest: then the table says which do. */
  readonly rests: boolean;
}

/** Values of a window by what they are, in the order of the op's inputs. */
interface WindowOf<T> {
  readonly weights: T;
  readonly m: T;
  readonly v: T;
  readonly teacher: T | undefined;
  readonly copy: T | undefined;
  readonly teacherCopy: T | undefined;
  readonly gradients: T;
  /** Parameter of each block of 128 elements, u32. */
  readonly blocks: T;
  /** [parameters + 1, 4]: lr, 1 - lr wd, gradient scale of each, and whether it rests; last row: whether to go, momentum of the teacher, c1, c2. */
  readonly table: T;
}
export type WindowUpdate = WindowOf<Tensor>;
type Part = keyof WindowUpdate;

/** What changes comes first. */
const UPDATED: readonly Part[] = ['weights', 'm', 'v', 'teacher', 'copy', 'teacherCopy'];
const READ: readonly Part[] = ['gradients', 'blocks', 'table'];

function updating(updated: readonly Part[]): Op<UpdateAttrs> {
  const parts = [...updated, ...READ];
  const named = <T>(inputs: readonly T[]): WindowOf<T> =>
    Object.fromEntries(parts.map((part, i) => [part, inputs[i]!])) as unknown as WindowOf<T>;
  return {
    name: 'adamW',
    mutates: updated.map((_, i) => i),
    infer: (inputs) => updated.map((_, i) => inputs[i]!),
    reference(inputs, attrs) {
      const data = inputs.map((input, i) => (i < updated.length ? input.data.slice() : input.data));
      reference(named(data), attrs);
      return data.slice(0, updated.length);
    },
    lower({ inputs, attrs, target }) {
      const window = named(inputs);
      const step = (does: Does) => kernel({ window, attrs, target }, does);
      if (inputs.length <= target.maxStorageBuffers) return [step({ weights: true, teacher: true })];
      return [step({ weights: true, teacher: false }), step({ weights: false, teacher: true })];
    },
  };
}

function reference(window: WindowOf<Float64Array>, { b1, b2, eps }: UpdateAttrs): void {
  const { weights: w, m, v, teacher, copy, teacherCopy, gradients, blocks, table } = window;
  const [go, momentum, c1, c2] = [...table.slice(-4)] as [number, number, number, number];
  for (let i = 0; i < w.length; i++) {
    const row = 4 * blocks[Math.floor(i / SEGMENT_ALIGNMENT)]!;
    const [lr, decay, scale, rests] = [table[row]!, table[row + 1]!, table[row + 2]!, table[row + 3]! !== 0];
    if (go !== 0) {
      const gradient = gradients[i]! * scale;
      m[i] = b1 * m[i]! + (1 - b1) * gradient;
      v[i] = b2 * v[i]! + (1 - b2) * gradient * gradient;
      if (!rests) w[i] = w[i]! * decay - (lr * m[i]!) / c1 / (Math.sqrt(v[i]! / c2) + eps);
      if (copy && i < copy.length) copy[i] = w[i]!;
    }
    if (!teacher || rests) continue;
    teacher[i] = momentum * teacher[i]! + (1 - momentum) * w[i]!;
    if (teacherCopy && i < teacherCopy.length) teacherCopy[i] = teacher[i]!;
  }
}

/** What a kernel does. */
interface Does {
  readonly weights: boolean;
  readonly teacher: boolean;
}

interface KernelInput extends Pick<LowerArgs<UpdateAttrs>, 'attrs' | 'target'> {
  readonly window: WindowUpdate;
}

function kernel({ window, attrs: { b1, b2, eps, rests }, target }: KernelInput, does: Does): Kernel {
  const k = kernelBuilder('adamW', target);
  const V = 'vec4<f32>';
  const { weights, table } = window;
  const n = sizeOf(weights.shape) / 4;
  /** Stores a value as far as it is copied, rounded as `cast` rounds it. */
  const store = (copy: Tensor | undefined, value: string): string => {
    if (!copy) return '';
    const type = elementType(copy, 4);
    const rounded = copy.dtype === 'f16' ? `${type}(quantizeToF16(${value}))` : value;
    return `if (i < ${k.uniform(sizeOf(copy.shape) / 4)}) { ${k.write(copy, type)}[i] = ${rounded}; }`;
  };
  const C = k.read(table, V);
  const parts: string[] = [];
  const row = () => `
  let c = ${C}[${k.read(window.blocks)}[first / ${SEGMENT_ALIGNMENT / 4}u]];`;
  const unless = (change: string, unchanged: string) =>
    rests ? `select(${change}, ${unchanged}, c.w != 0.0)` : change;
  let perBlock = !does.weights && rests ? row() : '';
  if (does.weights) {
    const [W, M, S] = [k.update(weights, V), k.update(window.m, V), k.update(window.v, V)];
    const G = k.read(window.gradients, V);
    perBlock = `${row()}
  let rate = c.x / whole.z;
  let inverse = 1.0 / whole.w;`;
    parts.push(`
    var w = ${W}[i];
    if (whole.x != 0.0) {
      let g = ${G}[i] * c.z;
      let m = ${k.uniformF32(b1)} * ${M}[i] + ${k.uniformF32(1 - b1)} * g;
      let v = ${k.uniformF32(b2)} * ${S}[i] + ${k.uniformF32(1 - b2)} * g * g;
      w = ${unless(`w * c.y - rate * m / (sqrt(v * inverse) + ${k.uniformF32(eps)})`, 'w')};
      ${M}[i] = m; ${S}[i] = v; ${W}[i] = w;
      ${store(window.copy, 'w')}
    }`);
  } else
    parts.push(`
    let w = ${k.read(weights, V)}[i];`);
  if (does.teacher && window.teacher) {
    const T = k.update(window.teacher, V);
    parts.push(`
    let t = ${unless(`whole.y * ${T}[i] + (1.0 - whole.y) * w`, `${T}[i]`)};
    ${T}[i] = t;
    ${store(window.teacherCopy, 't')}`);
  }
  // an invocation's units lie in one block, so that what they share is worked out once
  const perThread = target.family === 'cpu' ? 4 : 1;
  const body = `
  let first = thread * ${perThread}u;
  if (first >= ${k.uniform(n)}) { return; }
  let whole = ${C}[${k.uniform(table.shape[0]! - 1)}];
  // a micro-step that is not the last of its update
  if (whole.x == 0.0 && whole.y == 1.0) { return; }${perBlock}
  for (var i = first; i < first + ${k.uniform(perThread)}; i++) {${parts.join('')}
  }`;
  const workgroups = Math.ceil(n / (64 * perThread));
  return k.build({ body, workgroupSize: 64, workgroups, kind: 'optimizer', flops: 15 * 4 * n, serial: 1 });
}

/** Records the update of one window; returns the updated weights and teacher. */
export function updateWindow(
  window: WindowUpdate,
  attrs: UpdateAttrs,
): { weights: Tensor; teacher: Tensor | undefined } {
  const updated = UPDATED.filter((part) => window[part]);
  const outputs = record(
    updating(updated),
    [...updated, ...READ].map((part) => window[part]!),
    attrs,
  );
  return { weights: outputs[0]!, teacher: outputs[updated.indexOf('teacher')] };
}
