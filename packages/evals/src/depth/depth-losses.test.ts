/** Losses in f64 against plain loops, where no golden reaches: differences along the batch, DINOv3's SigLoss, and what has no value. */
import { grad, input, interpret, type Tensor } from '@franca/tensor';
import { expect, test } from 'vitest';
import { type GradientAxes, gradientLoss, groupedSigLoss, type LogErrors, logErrors, sigLoss } from './depth-losses';
import { longCycle } from './depth-schedule';

const shape = [5, 3, 4];
const value = (i: number): number => Math.abs(Math.sin(12.9898 * i) * 43_758.5453) % 1;
const predicted = Float64Array.from({ length: 60 }, (_, i) => 0.5 + 4 * value(i));
const measured = Float64Array.from({ length: 60 }, (_, i) => (value(i + 100) < 0.2 ? 0 : 12 * value(i + 200)));
const isValid = (i: number): boolean => measured[i]! > 0 && measured[i]! <= 10;
const error = (i: number): number => Math.log(predicted[i]! + 0.001) - Math.log(measured[i]! + 0.001);

function run(
  loss: (errors: LogErrors) => Tensor,
  depths: Float64Array = measured,
  prediction: Float64Array = predicted,
) {
  const p = input('p', shape);
  const result = loss(logErrors(p, input('t', shape)));
  const [gradient] = grad(result, [p]);
  const found = interpret([result, gradient!], { p: prediction, t: depths });
  return { loss: found.value(result).data[0]!, gradient: found.value(gradient!).data };
}

/** The published loops: a lattice of each stride, pairs two apart on it. */
function loops(along: GradientAxes): number {
  const at = (b: number, r: number, c: number): number => (b * 3 + r) * 4 + c;
  const places = [...predicted.keys()].map((i) => [Math.floor(i / 12), Math.floor((i % 12) / 4), i % 4] as const);
  let total = 0;
  for (const stride of [1, 2, 4, 6]) {
    const on = places.filter(([b, r, c]) =>
      along === 'batch' ? b % stride === 0 : r % stride === 0 && c % stride === 0,
    );
    const steps =
      along === 'batch'
        ? [[2 * stride, 0, 0]]
        : [
            [0, 2 * stride, 0],
            [0, 0, 2 * stride],
          ];
    let sum = 0;
    for (const [b, r, c] of on)
      for (const [db, dr, dc] of steps as [number, number, number][]) {
        if (b + db >= 5 || r + dr >= 3 || c + dc >= 4) continue;
        const [i, j] = [at(b, r, c), at(b + db, r + dr, c + dc)];
        if (isValid(i) && isValid(j)) sum += Math.abs(error(i) - error(j));
      }
    total += sum / on.filter(([b, r, c]) => isValid(at(b, r, c))).length;
  }
  return total;
}

test.each<GradientAxes>(['batch', 'rows-and-columns'])('the gradient loss along %s is that of the loops', (along) => {
  expect(run((errors) => gradientLoss(errors, along)).loss).toBeCloseTo(loops(along), 12);
});

test('nothing measured is a loss of 0, and a perfect prediction has no gradient', () => {
  const none = new Float64Array(60);
  for (const along of ['batch', 'rows-and-columns'] as const)
    expect(run((errors) => gradientLoss(errors, along), none).loss).toBe(0);
  for (const perfect of [run(sigLoss, none), run(sigLoss, predicted)]) {
    expect(perfect.loss).toBeCloseTo(0, 11);
    expect(perfect.gradient.every((each) => each === 0)).toBe(true);
  }
});

test("DINOv3's SigLoss is the mean over processes of sqrt(0.15 mean^2 + variance)", () => {
  const own = (first: number, end: number): number => {
    const g = [...predicted.keys()].filter((i) => i >= first && i < end && isValid(i)).map(error);
    const mean = g.reduce((sum, each) => sum + each, 0) / g.length;
    const variance = g.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (g.length - 1);
    return Math.sqrt(0.15 * mean ** 2 + variance);
  };
  const spread = input('spread', []);
  const result = groupedSigLoss(logErrors(input('p', shape), input('t', shape)), 5, spread);
  const loss = (on: number): number =>
    interpret([result], { p: predicted, t: measured, spread: [on] }).value(result).data[0]!;
  expect(loss(1)).toBeCloseTo([0, 12, 24, 36, 48].reduce((sum, first) => sum + own(first, first + 12), 0) / 5, 12);
  expect(loss(0)).toBeLessThan(loss(1));
});

test("DINOv3's cycle rises over a third of the steps without momentum, then falls", () => {
  expect(longCycle(0, 38_400, 3e-4)).toEqual({ learningRate: 3e-7, beta1: 0 });
  expect(longCycle(12_799, 38_400, 3e-4).learningRate).toBeCloseTo(3e-7 + 2.25e-4, 7);
  expect(longCycle(12_800, 38_400, 3e-4).beta1).toBeCloseTo(0.85, 12);
  const last = longCycle(38_399, 38_400, 3e-4);
  expect(last.learningRate).toBeCloseTo(1.2e-8, 15);
  expect(last.beta1).toBeCloseTo(0.95, 6);
});
