/**
 * Exact counts of (prediction, target) pairs on a device: one atomic increment of a u32 per pair. Integer sums come out
 * the same in any order, so this is as deterministic as a loop. Blocks of 2^20 pairs cannot overflow a u32; they are
 * added up in f64.
 */
import { compile, type Gpu, kernelBuilder, type Op, record1, type Step } from '@franca/tensor';
import { checkPairs } from './cpu-count-pairs';
import type { LabelPairs } from './eval-backend';
import { evenBlocks } from './gpu-tiles';
import type { PlanCache } from './plan-cache';

const PAIR_BLOCK = 2 ** 20;

interface CountAttrs {
  readonly predictions: number;
  readonly targets: number;
}

const countPairsOp: Op<CountAttrs> = {
  name: 'countPairs',
  infer: (_, { predictions, targets }) => [{ shape: [predictions, targets], dtype: 'u32' }],
  reference([predicted, target], { predictions, targets }) {
    const counts = new Float64Array(predictions * targets);
    predicted!.data.forEach((p, i) => {
      const t = target!.data[i]!;
      if (p >= 0 && p < predictions && t >= 0 && t < targets) counts[p * targets + t]! += 1;
    });
    return [counts];
  },
  lower({ inputs: [predicted, target], outputs: [counts], attrs: { predictions, targets }, target: device }) {
    const clear = kernelBuilder('countPairs clear', device);
    const cells = predictions * targets;
    const zero = clear.write(counts!);
    const clearBody = `if (thread < ${clear.uniform(cells)}) { ${zero}[thread] = 0u; }`;
    const b = kernelBuilder('countPairs', device);
    const [P, T, C] = [b.read(predicted!), b.read(target!), b.write(counts!, 'atomic<u32>')];
    const pairs = predicted!.shape[0]!;
    // as u32 a negative label is a large one
    const body = `
  if (thread >= ${b.uniform(pairs)}) { return; }
  let p = u32(${P}[thread]);
  let t = u32(${T}[thread]);
  if (p < ${b.uniform(predictions)} && t < ${b.uniform(targets)}) { atomicAdd(&${C}[p * ${b.uniform(targets)} + t], 1u); }`;
    return [
      clear.build({ body: clearBody, workgroupSize: 64, workgroups: Math.ceil(cells / 64) }),
      b.build({ body, workgroupSize: 64, workgroups: Math.ceil(pairs / 64) }),
    ];
  },
};

type CountStep = Step<
  { predicted: { shape: number[]; dtype: 'i32' }; target: { shape: number[]; dtype: 'i32' } },
  Record<string, never>
>;

export async function countPairs(
  gpu: Gpu,
  plans: PlanCache,
  { predicted, target, shape, ignore }: LabelPairs,
): Promise<Float64Array> {
  checkPairs(predicted, target);
  const [predictions, targets] = shape;
  const counts = new Float64Array(predictions * targets);
  if (counts.length === 0 || target.length === 0) return counts;
  const size = evenBlocks(target.length, PAIR_BLOCK);
  const step = await plans.get<CountStep>(`countPairs ${size} ${shape}`, () =>
    compile(
      gpu,
      (_, batch) => ({ counts: record1(countPairsOp, [batch.predicted, batch.target], { predictions, targets }) }),
      {
        batch: { predicted: { shape: [size], dtype: 'i32' }, target: { shape: [size], dtype: 'i32' } },
      },
    ),
  );
  for (let begin = 0; begin < target.length; begin += size) {
    const at = (labels: ArrayLike<number>, i: number): number => labels[begin + i] ?? -1;
    step.run({
      predicted: Int32Array.from({ length: size }, (_, i) => at(predicted, i)),
      target: Int32Array.from({ length: size }, (_, i) => (at(target, i) === ignore ? -1 : at(target, i))),
    });
    const block = await step.read('counts');
    for (let i = 0; i < counts.length; i++) counts[i]! += block[i]!;
  }
  return counts;
}
