/**
 * What a replay costs the processor: a plan of many small kernels on Dawn's null backend, which validates and executes nothing. Kernels
 * alternate between pipelines, as those of a real step do.
 */
import { add, compile, exp, mul } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';

const KERNELS = 3000;
const RUNS = 30;

/** Microseconds of processor time per kernel of a replay: the median run. */
export async function measureEncodeCost(): Promise<number> {
  await using gpu = await openGpu({ adapter: 'null' });
  using step = await compile(
    gpu,
    (_, { x }) => {
      const ops = [(y: typeof x) => add(y, 1), (y: typeof x) => mul(y, 0.5), exp];
      let y = x;
      for (let i = 0; i < KERNELS; i++) y = ops[i % ops.length]!(y);
      return y;
    },
    { batch: { x: { shape: [256], dtype: 'f32' } }, fusion: false },
  );
  step.run({ x: new Float32Array(256) });
  await step.done();
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const before = process.cpuUsage();
    step.run();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / step.report.kernels);
    await step.done();
  }
  return times.sort((a, b) => a - b)[RUNS >> 1]!;
}
