/**
 * The kernel of AdamW: one pass over a flat window of weights, moments, gradients and the teacher. `adamw.ts` has the formulas. What
 * differs from parameter to parameter stands in a table, and each block of 128 elements knows its row.
 */
import { kernelBuilder, type Op, record, SEGMENT_ALIGNMENT, sizeOf, type Tensor } from '@franca/tensor';

interface UpdateAttrs {
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
  readonly teacher: boolean;
}

/** Inputs: weights, m, v, [teacher], gradients, block parameters, table. Table row p: lr, 1 - lr wd, gradient scale; last row: go, momentum, c1, c2. */
const updateOp: Op<UpdateAttrs> = {
  name: 'adamW',
  infer: (inputs, { teacher }) =>
    inputs.slice(0, teacher ? 4 : 3).map((spec) => ({ shape: spec.shape, dtype: spec.dtype })),
  reference(inputs, { b1, b2, eps, teacher }) {
    const [w, m, v] = inputs.slice(0, 3).map((input) => input.data.slice()) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const t = teacher ? inputs[3]!.data.slice() : new Float64Array(0);
    const [g, blocks, table] = inputs.slice(teacher ? 4 : 3).map((input) => input.data) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [go, momentum, c1, c2] = [...table.slice(-4)] as [number, number, number, number];
    for (let i = 0; i < w.length; i++) {
      const row = 4 * blocks[Math.floor(i / SEGMENT_ALIGNMENT)]!;
      const [lr, decay, scale] = [table[row]!, table[row + 1]!, table[row + 2]!];
      if (go !== 0) {
        const gradient = g[i]! * scale;
        m[i] = b1 * m[i]! + (1 - b1) * gradient;
        v[i] = b2 * v[i]! + (1 - b2) * gradient * gradient;
        w[i] = w[i]! * decay - (lr * m[i]!) / c1 / (Math.sqrt(v[i]! / c2) + eps);
      }
      if (teacher) t[i] = momentum * t[i]! + (1 - momentum) * w[i]!;
    }
    return teacher ? [w, m, v, t] : [w, m, v];
  },
  lower({ inputs, outputs, attrs: { b1, b2, eps, teacher }, target }) {
    const k = kernelBuilder('adamW', target);
    const V = 'vec4<f32>';
    const [W, M, S] = inputs.slice(0, 3).map((input) => k.update(input, V));
    const T = teacher ? k.update(inputs[3]!, V) : '';
    const [g, blocks, table] = inputs.slice(teacher ? 4 : 3);
    const [G, B, C] = [k.read(g!, V), k.read(blocks!), k.read(table!, V)];
    const n = sizeOf(outputs[0]!.shape) / 4;
    const [beta1, beta2] = [k.uniformF32(b1), k.uniformF32(b2)];
    const [rest1, rest2] = [k.uniformF32(1 - b1), k.uniformF32(1 - b2)];
    // an invocation's units lie in one block, so that what they share is worked out once
    const perThread = target.family === 'cpu' ? 4 : 1;
    const body = `
  let first = thread * ${perThread}u;
  if (first >= ${k.uniform(n)}) { return; }
  let whole = ${C}[${k.uniform(table!.shape[0]! - 1)}];
  let c = ${C}[${B}[first / ${SEGMENT_ALIGNMENT / 4}u]];
  let rate = c.x / whole.z;
  let inverse = 1.0 / whole.w;
  for (var i = first; i < first + ${k.uniform(perThread)}; i++) {
    var w = ${W}[i];
    if (whole.x != 0.0) {
      let g = ${G}[i] * c.z;
      let m = ${beta1} * ${M}[i] + ${rest1} * g;
      let v = ${beta2} * ${S}[i] + ${rest2} * g * g;
      w = w * c.y - rate * m / (sqrt(v * inverse) + ${k.uniformF32(eps)});
      ${M}[i] = m; ${S}[i] = v; ${W}[i] = w;
    }
    ${teacher ? `${T}[i] = whole.y * ${T}[i] + (1.0 - whole.y) * w;` : ''}
  }`;
    const workgroups = Math.ceil(n / (64 * perThread));
    return [k.build({ body, workgroupSize: 64, workgroups, kind: 'optimizer', flops: 15 * 4 * n, serial: 1 })];
  },
};

// @__NO_SIDE_EFFECTS__
function updating(...mutates: number[]): Op<UpdateAttrs> {
  return { ...updateOp, mutates };
}
const withTeacher = updating(0, 1, 2, 3);
const withoutTeacher = updating(0, 1, 2);

export interface WindowUpdate {
  readonly weights: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly teacher: Tensor | undefined;
  readonly gradients: Tensor;
  /** Parameter of each block of 128 elements, u32. */
  readonly blocks: Tensor;
  /** [parameters + 1, 4]: lr, 1 - lr wd and gradient scale of each; last row: whether to go, momentum of the teacher, c1, c2. */
  readonly table: Tensor;
}

/** Records the update of one window; returns the updated weights and teacher. */
export function updateWindow(
  { weights, m, v, teacher, gradients, blocks, table }: WindowUpdate,
  { b1, b2, eps }: Omit<UpdateAttrs, 'teacher'>,
): { weights: Tensor; teacher: Tensor | undefined } {
  const outputs = record(
    teacher ? withTeacher : withoutTeacher,
    [weights, m, v, ...(teacher ? [teacher] : []), gradients, blocks, table],
    { b1, b2, eps, teacher: teacher !== undefined },
  );
  return { weights: outputs[0]!, teacher: outputs[3] };
}
