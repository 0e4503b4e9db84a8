/**
 * The op of softmax regression on a device: how probabilities and cross-entropy change when logits move, to the relative accuracy of f32.
 *
 * Logits of a row move by `z + b`; before, its classes had the probabilities `p`. With `u_c = expm1((z + b)_c - (z + b)_y)`, which is 0 for the row's own
 * class `y`, and `s = sum_c p_c u_c`,
 *
 *   cross-entropy grows by log1p(s),   p_c grows by p_c (u_c - s) / (1 + s).
 *
 * Nothing is a difference of numbers that are nearly equal: where `y` has nearly all, both are made of what the other classes have, so that they are as exact
 * as the change is small. Changes too large for `exp` are shifted by the largest `m` of them: with `e_c = exp(. - m)` and `t = sum_c p_c e_c`
 * it is `m + log t` and `p_c e_c / t - p_c`. Rows with label -1 get zeros.
 *
 * Source: the reduction of `exp` to powers of two is that of Cephes (Moshier).
 */
import { kernelBuilder, type Op, record, rowKernel, type Tensor } from '@franca/tensor';

const FEW_CLASSES = 16;
/** Changes are shifted from here on. */
const FAR = 60;

const softmaxStepOp: Op<object> = {
  name: 'softmaxStep',
  infer: ([moved]) => [
    { shape: moved!.shape, dtype: 'f32' },
    { shape: [moved!.shape[0]!], dtype: 'f32' },
  ],
  reference([moved, biases, before, labels]) {
    const [rows, classes] = moved!.shape as [number, number];
    const change = new Float64Array(rows * classes);
    const losses = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      const label = labels!.data[i]!;
      if (label < 0) continue;
      const at = (c: number): number => moved!.data[i * classes + c]! + biases!.data[c]! - biases!.data[label]!;
      const p = before!.data.subarray(i * classes, (i + 1) * classes);
      const u = Float64Array.from({ length: classes }, (_, c) => Math.expm1(at(c) - moved!.data[i * classes + label]!));
      const s = u.reduce((sum, value, c) => sum + p[c]! * value, 0);
      losses[i] = Math.log1p(s);
      for (let c = 0; c < classes; c++) change[i * classes + c] = (p[c]! * (u[c]! - s)) / (1 + s);
    }
    return [change, losses];
  },
  lower({ inputs: [moved, biases, before, labels], outputs: [change, losses], target }) {
    const [rows, classes] = moved!.shape as [number, number];
    const b = kernelBuilder('softmaxStep', target);
    const [Z, B, P, T] = [b.read(moved!), b.read(biases!), b.read(before!), b.read(labels!)];
    const [D, L] = [b.write(change!), b.write(losses!)];
    const count = b.uniform(classes);
    const each = (body: string): string =>
      `for (var c = lane; c < ${count}; c += LANES) { let by = ${Z}[base + c] + ${B}[c] - own; ${body} }`;
    const body = `
  let counts = ${T}[row] >= 0;
  let label = u32(max(${T}[row], 0));
  let base = row * ${count};
  let own = ${Z}[base + label] + ${B}[label];
  var high = 0.0;
  ${each('high = max(high, by);')}
  let top = rowMax(high);
  var part = 0.0;
  ${each(`part += ${P}[base + c] * growth(by, false);`)}
  let s = rowSum(part);
  let far = top > ${FAR}.0 || s < -0.5;
  part = 0.0;
  if (far) { ${each(`part += ${P}[base + c] * growth(by - top, true);`)} }
  let t = rowSum(part);
  ${each(`
    let p = ${P}[base + c];
    var grown = 0.0;
    if (far) { grown = p * growth(by - top, true) / t - p; } else { grown = p * (growth(by, false) - s) / (1.0 + s); }
    ${D}[base + c] = select(0.0, grown, counts);`)}
  if (lane == 0u) { ${L}[row] = select(0.0, select(logOnePlus(s), top + log(t), far), counts); }`;
    return [
      rowKernel(b, {
        body,
        declarations: ELEMENTARY,
        rows,
        steps: classes,
        rounds: 4,
        flops: 50 * rows * classes,
        alone: classes <= FEW_CLASSES,
      }),
    ];
  },
};

/** `growth` is `expm1`, or `exp` where `whole`; WGSL has no exact forms of either, nor of `log1p`. */
const ELEMENTARY = `
fn growth(value: f32, whole: bool) -> f32 {
  let x = clamp(value, -86.0, 87.0);
  let k = round(x * 1.44269504);
  let r = (x - k * 0.693359375) + k * 2.12194440e-4;
  let less = r * (1.0 + r * (0.5 + r * (0.16666667 + r * (0.041666667 + r * (0.0083333333 + r * (0.0013888889 + r * 0.00019841270))))));
  let power = bitcast<f32>((i32(k) + 127) << 23u);
  return power * less + select(power - 1.0, power, whole);
}
fn logOnePlus(x: f32) -> f32 {
  let t = x / (2.0 + x);
  let q = t * t;
  let series = 2.0 * t * (1.0 + q * (0.33333333 + q * (0.2 + q * (0.14285714 + q * (0.11111111 + q * 0.090909091)))));
  return select(log(1.0 + x), series, abs(x) < 0.5);
}`;

export interface SoftmaxStep {
  /** By how much each probability grows `[n, C]`. */
  readonly change: Tensor;
  /** By how much each row's cross-entropy grows `[n]`. */
  readonly losses: Tensor;
}

/** The step of logits `moved` `[n, C]` and `biases` `[C]` from where the probabilities are `before` `[n, C]`, at `labels` i32 `[n]`. */
export function softmaxStep(
  moved: Tensor,
  biases: Tensor,
  { before, labels }: { readonly before: Tensor; readonly labels: Tensor },
): SoftmaxStep {
  const [change, losses] = record(softmaxStepOp, [moved, biases, before, labels], {});
  return { change: change!, losses: losses! };
}
