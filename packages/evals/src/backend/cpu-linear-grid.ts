/**
 * Many linear classifiers trained at once on the CPU, in f64. Heads that read the same columns of the features are
 * stacked into one tall weight matrix `[heads * C, D]`, so a step is two matrix products however many learning rates
 * are tried: `Z = X W^T + b`, then `dW = dZ^T X`, with `dZ = (softmax(Z) - onehot) / targets` per head. The losses add
 * up, so each head's gradient is its own. Update as torch's SGD: `m <- momentum * m + (g + decay * w)`,
 * `w <- w - rate * m`.
 *
 * In the dense form `Z` lives on patches; it is upsampled to pixels before the loss, and the adjoint brings `dZ` back.
 */
import type { Matrix } from '../matrix';
import { takeColumns } from '../matrix';
import { type Bilinear, bilinear } from '../numerics/bilinear';
import type { LinearClassifier, LinearGridSession, LinearGridSpec } from './eval-backend';
import { countTargets, groupHeads, type HeadGroup } from './linear-grid';
import { packColumns, packedProducts, packRows } from './packed';

type Stack = HeadGroup & {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  readonly weightMomentum: Float64Array;
  readonly biasMomentum: Float64Array;
};

export function openLinearGrid(spec: LinearGridSpec): LinearGridSession {
  const { classes, heads, upsample } = spec;
  const stacks = groupHeads(spec).map((group) => stackHeads(spec, group));
  const resampler = upsample && bilinear(upsample.from, upsample.to);

  async function step(x: Matrix, labels: Int32Array, rate: number): Promise<Float64Array> {
    const losses = new Float64Array(heads.length);
    const targets = countTargets(spec, x, labels);
    if (targets === 0) return losses;
    for (const stack of stacks) {
      const inputs = takeColumns(x, stack.start, stack.end);
      const z = forward(stack, inputs);
      const stackLosses = new Float64Array(stack.members.length);
      if (resampler) denseLoss(z, labels, targets, stackLosses, resampler);
      else crossEntropy(z, labels, targets, stackLosses);
      stack.members.forEach((member, i) => {
        losses[member] = stackLosses[i]!;
      });
      update(stack, inputs, z, rate);
    }
    return losses;
  }

  function forward(stack: Stack, inputs: Matrix): Float64Array {
    const width = stack.bias.length;
    const z = new Float64Array(inputs.rows * width);
    packedProducts(packRows(inputs.data, inputs.cols), packRows(stack.weight, inputs.cols), z);
    for (let i = 0; i < z.length; i++) z[i]! += stack.bias[i % width]!;
    return z;
  }

  /** Replaces logits `[rows, stacked heads * C]` by their gradient and adds each head's mean loss. */
  function crossEntropy(z: Float64Array, labels: Int32Array, targets: number, losses: Float64Array): void {
    const width = losses.length * classes;
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      for (let h = 0; h < losses.length; h++) {
        const logits = z.subarray(row * width + h * classes, row * width + (h + 1) * classes);
        if (label === spec.ignore) logits.fill(0);
        else losses[h]! += softmaxLoss(logits, label, targets) / targets;
      }
    }
  }

  function denseLoss(
    z: Float64Array,
    labels: Int32Array,
    targets: number,
    losses: Float64Array,
    { apply, adjoint }: Bilinear,
  ): void {
    const { from, to } = upsample!;
    const width = losses.length * classes;
    const patches = from[0] * from[1];
    const pixels = to[0] * to[1];
    const upsampled = new Float64Array(pixels * width);
    for (let image = 0; image * patches * width < z.length; image++) {
      const patchLogits = z.subarray(image * patches * width, (image + 1) * patches * width);
      apply(patchLogits, upsampled, width);
      crossEntropy(upsampled, labels.subarray(image * pixels, (image + 1) * pixels), targets, losses);
      patchLogits.fill(0);
      adjoint(upsampled, patchLogits, width);
    }
  }

  function update(stack: Stack, inputs: Matrix, dz: Float64Array, rate: number): void {
    const gradient = new Float64Array(stack.weight.length);
    const width = stack.bias.length;
    packedProducts(packColumns(dz, width), packColumns(inputs.data, inputs.cols), gradient);
    const biasGradient = new Float64Array(width);
    for (let i = 0; i < dz.length; i++) biasGradient[i % width]! += dz[i]!;
    stack.members.forEach((member, i) => {
      const step = heads[member]!.learningRate * rate;
      const weights = [i * classes * inputs.cols, (i + 1) * classes * inputs.cols] as const;
      sgd(stack.weight, stack.weightMomentum, gradient, weights, step);
      sgd(stack.bias, stack.biasMomentum, biasGradient, [i * classes, (i + 1) * classes], step);
    });
  }

  function sgd(
    values: Float64Array,
    momenta: Float64Array,
    gradient: Float64Array,
    [begin, end]: readonly [number, number],
    step: number,
  ): void {
    for (let i = begin; i < end; i++) {
      momenta[i] = spec.momentum * momenta[i]! + gradient[i]! + spec.weightDecay * values[i]!;
      values[i]! -= step * momenta[i]!;
    }
  }

  async function current(): Promise<LinearClassifier[]> {
    const out: LinearClassifier[] = [];
    for (const stack of stacks) {
      const cols = stack.end - stack.start;
      stack.members.forEach((member, i) => {
        const weight = Float32Array.from(stack.weight.subarray(i * classes * cols, (i + 1) * classes * cols));
        const bias = Float32Array.from(stack.bias.subarray(i * classes, (i + 1) * classes));
        out[member] = { weight: { data: weight, rows: classes, cols }, bias };
      });
    }
    return out;
  }

  return { step, heads: current, [Symbol.dispose]: () => {} };
}

/** Replaces one row of logits by `(softmax - onehot) / targets` and returns its cross-entropy. */
function softmaxLoss(logits: Float64Array, label: number, targets: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) max = Math.max(max, logit);
  const own = logits[label]! - max;
  let total = 0;
  for (let c = 0; c < logits.length; c++) {
    logits[c] = Math.exp(logits[c]! - max);
    total += logits[c]!;
  }
  for (let c = 0; c < logits.length; c++) logits[c] = (logits[c]! / total - Number(c === label)) / targets;
  return Math.log(total) - own;
}

function stackHeads({ heads, classes }: LinearGridSpec, group: HeadGroup): Stack {
  const size = classes * (group.end - group.start);
  const weight = new Float64Array(group.members.length * size);
  const bias = new Float64Array(group.members.length * classes);
  group.members.forEach((member, i) => {
    weight.set(heads[member]!.initial.weight.data, i * size);
    bias.set(heads[member]!.initial.bias, i * classes);
  });
  const weightMomentum = new Float64Array(weight.length);
  const biasMomentum = new Float64Array(bias.length);
  return { ...group, weight, bias, weightMomentum, biasMomentum };
}
