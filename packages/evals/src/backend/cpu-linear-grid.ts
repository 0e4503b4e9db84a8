/**
 * Many linear classifiers trained at once on the CPU, in f64. Heads that read the same columns of the features are
 * stacked into one tall weight matrix `[heads * C, D]`, so a step is two matrix products however many learning rates
 * are tried: `Z = X W^T + b`, then `dW = dZ^T X`, with `dZ = (softmax(Z) - onehot) / targets` per head. The losses add
 * up, so each head's gradient is its own. Update as torch's SGD: `m <- momentum * m + (g + decay * w)`,
 * `w <- w - rate * m`.
 *
 * In the dense form `Z` lives on patches; it is upsampled to pixels before the loss, and the adjoint brings `dZ` back.
 */
import { type Matrix, takeColumns } from '../matrix';
import { bilinear } from '../numerics/bilinear';
import type { LinearClassifier, LinearGridSession, LinearGridSpec } from './eval-backend';
import { area, countTargets, groupHeads, type HeadGroup, savedPart, stackHeads, unstackHeads } from './linear-grid';
import { packColumns, packedProducts, packRows } from './packed';
import { softmaxResidual } from './softmax-residual';

/** Heads of one group in training. */
interface Stack extends HeadGroup {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  readonly weightMomentum: Float64Array;
  readonly biasMomentum: Float64Array;
}

export function openLinearGrid(spec: LinearGridSpec): LinearGridSession {
  const stacks = groupHeads(spec).map((group) => openStack(spec, group));
  const loss = spec.upsample ? pixelLoss(spec, spec.upsample) : rowLoss(spec);

  async function step(x: Matrix, labels: Int32Array, rate: number): Promise<Float64Array> {
    const losses = new Float64Array(spec.heads.length);
    const targets = countTargets(spec, x, labels);
    if (targets === 0) return losses;
    for (const stack of stacks) {
      const inputs = takeColumns(x, stack.start, stack.end);
      const z = logitsOf(stack, inputs);
      const own = new Float64Array(stack.members.length);
      loss(z, labels, targets, own);
      stack.members.forEach((member, i) => {
        losses[member] = own[i]!;
      });
      update(spec, stack, { inputs, dz: z, rate });
    }
    return losses;
  }

  async function heads(): Promise<LinearClassifier[]> {
    const out: LinearClassifier[] = [];
    for (const stack of stacks) {
      unstackHeads(stack, spec.classes).forEach((classifier, i) => {
        out[stack.members[i]!] = classifier;
      });
    }
    return out;
  }

  return {
    step,
    heads,
    save: async () => Object.fromEntries(stacks.flatMap(namedParts)),
    load: (saved) => {
      for (const [name, array] of stacks.flatMap(namedParts))
        array.set(savedPart(saved, name, Float64Array, array.length));
    },
    [Symbol.dispose]: () => {},
  };
}

/** All that steps change of one stack. */
const namedParts = ({ weight, bias, weightMomentum, biasMomentum }: Stack, i: number): [string, Float64Array][] =>
  Object.entries({ weight, bias, weightMomentum, biasMomentum }).map(([name, array]) => [`${name} ${i}`, array]);

function openStack(spec: LinearGridSpec, group: HeadGroup): Stack {
  const initial = stackHeads(spec, group);
  const [weight, bias] = [new Float64Array(initial.weight), new Float64Array(initial.bias)];
  const weightMomentum = new Float64Array(weight.length);
  const biasMomentum = new Float64Array(bias.length);
  return { ...group, weight, bias, weightMomentum, biasMomentum };
}

/** `X W^T + b`, `[rows, heads * C]`. */
function logitsOf({ weight, bias }: Stack, inputs: Matrix): Float64Array {
  const width = bias.length;
  const z = new Float64Array(inputs.rows * width);
  packedProducts(packRows(inputs.data, inputs.cols), packRows(weight, inputs.cols), z);
  for (let i = 0; i < z.length; i++) z[i]! += bias[i % width]!;
  return z;
}

/** Replaces logits `[rows, heads * C]` by their gradient and adds each head's mean loss to `losses`. */
type Loss = (z: Float64Array, labels: Int32Array, targets: number, losses: Float64Array) => void;

function rowLoss({ classes, ignore }: LinearGridSpec): Loss {
  return (z, labels, targets, losses) => {
    const width = losses.length * classes;
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      for (let h = 0; h < losses.length; h++) {
        const logits = z.subarray(row * width + h * classes, row * width + (h + 1) * classes);
        if (label === ignore) {
          logits.fill(0);
          continue;
        }
        losses[h]! += softmaxResidual(logits, label) / targets;
        for (let c = 0; c < classes; c++) logits[c]! /= targets;
      }
    }
  };
}

/** The dense form: patch logits are upsampled, and the adjoint brings the gradient of their pixels back. */
function pixelLoss(spec: LinearGridSpec, { from, to }: NonNullable<LinearGridSpec['upsample']>): Loss {
  const loss = rowLoss(spec);
  const { apply, adjoint } = bilinear(from, to);
  const [patches, pixels] = [area(from), area(to)];
  return (z, labels, targets, losses) => {
    const width = losses.length * spec.classes;
    const upsampled = new Float64Array(pixels * width);
    for (let image = 0; image * patches * width < z.length; image++) {
      const patchLogits = z.subarray(image * patches * width, (image + 1) * patches * width);
      apply(patchLogits, upsampled, width);
      loss(upsampled, labels.subarray(image * pixels, (image + 1) * pixels), targets, losses);
      patchLogits.fill(0);
      adjoint(upsampled, patchLogits, width);
    }
  };
}

/** `dW = dZ^T X` and the column sums of `dZ` move each head of a stack at its own rate. */
function update(
  spec: LinearGridSpec,
  stack: Stack,
  { inputs, dz, rate }: { readonly inputs: Matrix; readonly dz: Float64Array; readonly rate: number },
): void {
  const width = stack.bias.length;
  const gradient = new Float64Array(stack.weight.length);
  packedProducts(packColumns(dz, width), packColumns(inputs.data, inputs.cols), gradient);
  const biasGradient = new Float64Array(width);
  for (let i = 0; i < dz.length; i++) biasGradient[i % width]! += dz[i]!;
  stack.members.forEach((member, i) => {
    const own = (all: Float64Array): Float64Array => {
      const size = all.length / stack.members.length;
      return all.subarray(i * size, (i + 1) * size);
    };
    const step = spec.heads[member]!.learningRate * rate;
    sgd({ values: own(stack.weight), momenta: own(stack.weightMomentum), gradient: own(gradient) }, step, spec);
    sgd({ values: own(stack.bias), momenta: own(stack.biasMomentum), gradient: own(biasGradient) }, step, spec);
  });
}

function sgd(
  { values, momenta, gradient }: Readonly<Record<'values' | 'momenta' | 'gradient', Float64Array>>,
  step: number,
  { momentum, weightDecay }: LinearGridSpec,
): void {
  for (let i = 0; i < values.length; i++) {
    momenta[i] = momentum * momenta[i]! + gradient[i]! + weightDecay * values[i]!;
    values[i]! -= step * momenta[i]!;
  }
}
