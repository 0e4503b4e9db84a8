/**
 * Measures the rates of an adapter, a few runs of each kind. The time of one operation is the difference between a step of many of them and a step of
 * few, so that what a run takes besides drops out.
 */
import {
  add,
  attention,
  compile,
  type DType,
  type Gpu,
  grad,
  type Kernel,
  type KernelKind,
  matmul,
  type Shape,
  sizeOf,
  sum,
  type Tensor,
  type TensorTree,
} from '@franca/tensor';
import type { Rates } from './rates';

/** Sizes that take about a millisecond on a GPU and some on a processor. `serial` is summed over its rows, by so few threads that nothing but their waiting counts. */
const SIZES = {
  cpu: { product: [512, 512], elements: [2 ** 24], images: 1, serial: [2 ** 14, 128] },
  gpu: { product: [4096, 4096], elements: [2 ** 25], images: 32, serial: [2 ** 12, 64] },
} as const;
/** Attention as in a ViT-B/14 at 224 pixels. */
const HEADS = 12;
const HEAD_SIZE = 64;
const TOKENS = 257;

/** The rates of today. Takes seconds. */
export async function measureRates(gpu: Gpu): Promise<Rates> {
  const { product, elements, serial } = SIZES[gpu.target.family];
  const flops = async (dtype: DType): Promise<number> => {
    const { seconds } = await timeOf(gpu, { shape: product, dtype, counts: [2, 8] }, chainOf(matmul));
    return (2 * product[0] ** 3) / seconds;
  };
  const adds = await timeOf(gpu, { shape: elements, dtype: 'f32', counts: [2, 8] }, chainOf(add));
  const launch = await timeOf(gpu, { shape: [64], dtype: 'f32', counts: [64, 320] }, chainOf(add));
  const sums = await timeOf(
    gpu,
    { shape: serial, dtype: 'f32', counts: [1, 4] },
    repeated((x) => sum(x, [0])),
  );
  return {
    flops: { f32: await flops('f32'), ...(gpu.target.f16 ? { f16: await flops('f16') } : {}) },
    attention: await attentionRates(gpu),
    bytes: (3 * 4 * elements[0]) / adds.seconds,
    launch: launch.seconds,
    // what waits for memory is told from the kernels' own time, where a noisy machine allows it
    serial: Math.max(sums.seconds - sums.kernels * launch.seconds, sums.seconds / 10) / sums.serial,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Flops as the kernels count them; those of the backward pass are what it takes beyond the forward pass. */
async function attentionRates(gpu: Gpu): Promise<{ forward: number; backward: number }> {
  const { family, f16 } = gpu.target;
  const shape = [SIZES[family].images, TOKENS, 3 * HEADS * HEAD_SIZE];
  const input = { shape, dtype: f16 && family === 'gpu' ? 'f16' : 'f32', counts: [1, 4] } as const;
  const forward = await timeOf(
    gpu,
    input,
    repeated((x) => attention(x, HEADS)),
  );
  const both = await timeOf(
    gpu,
    input,
    repeated((x) => grad(sum(attention(x, HEADS)), [x])),
  );
  return {
    forward: forward.flops('attention', 'matrix attention') / forward.seconds,
    backward:
      both.flops('attention gradient', 'matrix attention gradient') /
      Math.max(both.seconds - forward.seconds, both.seconds / 10),
  };
}

type Build = (x: Tensor, y: Tensor, count: number) => TensorTree;

const chainOf =
  (op: (a: Tensor, b: Tensor) => Tensor): Build =>
  (x, y, count) =>
    Array.from({ length: count }).reduce<Tensor>((result) => op(result, y), x);

const repeated =
  (op: (x: Tensor) => TensorTree): Build =>
  (x, _, count) =>
    Array.from({ length: count }, () => op(x));

interface Timing {
  readonly seconds: number;
  /** Flops of the kernels of these kinds. */
  flops(...kinds: KernelKind[]): number;
  readonly kernels: number;
  /** Steps of the longest loops of all kernels, one after another. */
  readonly serial: number;
}

interface Input {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Operations of the two steps that are compared. */
  readonly counts: readonly [few: number, many: number];
}

/** One of the operations that `build` records `count` of. */
async function timeOf(gpu: Gpu, { shape, dtype, counts: [few, many] }: Input, build: Build): Promise<Timing> {
  // small numbers of both signs, so that long chains stay finite and no adapter is spared work by zeros
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i % 7) - 3) / 64);
  const run = async (count: number) => {
    using step = await compile(gpu, (_, { x, y }: { x: Tensor; y: Tensor }) => ({ results: build(x, y, count) }), {
      batch: { x: { shape, dtype }, y: { shape, dtype } },
      fusion: false,
    });
    step.run({ x: values, y: values });
    await step.done();
    const kernels = step.plan.steps.flatMap((each) => (each.kind === 'kernel' ? [each.kernel] : []));
    return { seconds: await medianSeconds(step), kernels };
  };
  const [short, long] = [await run(few), await run(many)];
  const own = (long.seconds - short.seconds) / (many - few);
  const total = (of: (kernel: Kernel) => number): number =>
    long.kernels.reduce((sum, kernel) => sum + of(kernel), 0) / many;
  return {
    // on a busy machine the short step can have taken longer; then its fixed part is not told from the rest
    seconds: own > 0 ? own : long.seconds / many,
    flops: (...kinds) => total(({ kind, flops }) => (kinds.includes(kind) ? flops : 0)),
    kernels: total(() => 1),
    serial: total(({ serial }) => serial),
  };
}

const RUNS = 9;

/** The median of a few runs. */
async function medianSeconds(step: { run(): void; done(): Promise<void> }): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    step.run();
    await step.done();
    times.push((performance.now() - began) / 1000);
  }
  return times.sort((a, b) => a - b)[RUNS >> 1]!;
}
