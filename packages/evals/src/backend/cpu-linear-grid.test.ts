import { expect, test } from 'vitest';
import { centralDifference, gaussian } from '../../test/support';
import { bilinear } from '../numerics/bilinear';
import { openLinearGrid } from './cpu-linear-grid';
import type { LinearClassifier, LinearGridSpec } from './eval-backend';

const classifier = (cols: number, seed: number): LinearClassifier => ({
  weight: gaussian(3, cols, seed),
  bias: gaussian(1, 3, seed + 50).data,
});

/** Mean cross-entropy of one head, plainly. */
function meanLoss(logits: ArrayLike<number>, labels: Int32Array, ignore?: number): number {
  let sum = 0;
  let counted = 0;
  labels.forEach((label, i) => {
    if (label === ignore) return;
    const row = [0, 1, 2].map((c) => logits[i * 3 + c]!);
    sum += Math.log(row.reduce((total, z) => total + Math.exp(z), 0)) - row[label]!;
    counted += 1;
  });
  return sum / counted;
}

const x = gaussian(8, 5, 1);
const linear = (at: ArrayLike<number>, start: number, end: number): Float64Array =>
  Float64Array.from({ length: 24 }, (_, i) => {
    const cols = end - start;
    let z = at[3 * cols + (i % 3)]!;
    for (let d = 0; d < cols; d++) z += x.data[Math.floor(i / 3) * 5 + start + d]! * at[(i % 3) * cols + d]!;
    return z;
  });

/** The gradient that a first step without momentum and decay reveals: (before - after) / rate. */
async function stepGradient(
  spec: Omit<LinearGridSpec, 'classes' | 'inputs' | 'momentum' | 'weightDecay'>,
  labels: Int32Array,
) {
  using session = openLinearGrid({ inputs: 5, classes: 3, momentum: 0, weightDecay: 0, ...spec });
  const losses = await session.step(x, labels, 1);
  const after = await session.heads();
  return spec.heads.map(({ initial, learningRate }, h) => {
    const delta = (a: Float32Array, b: Float32Array) => Array.from(a, (value, i) => (value - b[i]!) / learningRate);
    const { weight, bias } = after[h]!;
    return { loss: losses[h]!, gradient: [...delta(initial.weight.data, weight.data), ...delta(initial.bias, bias)] };
  });
}

const parameters = ({ weight, bias }: LinearClassifier) => Float64Array.from([...weight.data, ...bias]);

test('each head follows the gradient of its own cross-entropy over its own columns', async () => {
  const labels = Int32Array.of(0, 1, 2, 255, 0, 1, 2, 0);
  const heads = [
    { start: 0, end: 5, learningRate: 0.5, initial: classifier(5, 2) },
    { start: 2, end: 4, learningRate: 0.25, initial: classifier(2, 3) },
    { start: 0, end: 5, learningRate: 1, initial: classifier(5, 4) },
  ];
  const results = await stepGradient({ heads, ignore: 255 }, labels);
  for (const [h, { start, end, initial }] of heads.entries()) {
    const loss = async (at: Float64Array) => meanLoss(linear(at, start, end), labels, 255);
    expect(results[h]!.loss).toBeCloseTo(await loss(parameters(initial)), 12);
    for (const [i, value] of results[h]!.gradient.entries()) {
      // Weights are read back as f32, so a gradient is known to about 1e-7 / rate.
      expect(value).toBeCloseTo(await centralDifference(loss, parameters(initial), i, 1e-5), 5);
    }
  }
});

test('in the dense form the gradient goes through the upsampling to the pixels', async () => {
  const from = [2, 2] as const;
  const to = [3, 5] as const;
  const labels = Int32Array.from({ length: 30 }, (_, i) => (i % 7 === 0 ? 255 : i % 3));
  const heads = [{ start: 0, end: 5, learningRate: 0.5, initial: classifier(5, 2) }];
  const [result] = await stepGradient({ heads, ignore: 255, upsample: { from, to } }, labels);
  const loss = async (at: Float64Array) => {
    const pixels = new Float64Array(2 * 15 * 3);
    const z = linear(at, 0, 5);
    for (const image of [0, 1])
      bilinear(from, to).apply(
        z.subarray(image * 12, (image + 1) * 12),
        pixels.subarray(image * 45, (image + 1) * 45),
        3,
      );
    return meanLoss(pixels, labels, 255);
  };
  expect(result!.loss).toBeCloseTo(await loss(parameters(heads[0]!.initial)), 12);
  for (const [i, value] of result!.gradient.entries()) {
    expect(value).toBeCloseTo(await centralDifference(loss, parameters(heads[0]!.initial), i, 1e-5), 5);
  }
});

test('momentum and decay follow m <- a m + g + d w, w <- w - r m', async () => {
  const one = { weight: { data: Float32Array.of(2, -2), rows: 2, cols: 1 }, bias: new Float32Array(2) };
  const heads = [{ start: 0, end: 1, learningRate: 0.5, initial: one }];
  using session = openLinearGrid({ inputs: 1, classes: 2, heads, momentum: 0.5, weightDecay: 0.1 });
  // A zero input leaves the weights to the decay alone.
  const zero = { data: new Float32Array(1), rows: 1, cols: 1 };
  await session.step(zero, Int32Array.of(0), 1);
  await session.step(zero, Int32Array.of(0), 0.5);
  // m = 0.2, w = 1.9; then m = 0.1 + 0.19, w = 1.9 - 0.25 * 0.29.
  expect((await session.heads())[0]!.weight.data[0]).toBeCloseTo(1.8275, 6);
});

test('a batch of ignored targets changes nothing', async () => {
  const heads = [{ start: 0, end: 5, learningRate: 1, initial: classifier(5, 2) }];
  using session = openLinearGrid({ inputs: 5, classes: 3, heads, momentum: 0.9, weightDecay: 1, ignore: 255 });
  expect([...(await session.step(x, new Int32Array(8).fill(255), 1))]).toEqual([0]);
  expect((await session.heads())[0]).toEqual(heads[0]!.initial);
});
