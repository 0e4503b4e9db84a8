/**
 * What the adapter can do at most, as measured: multiply-adds between registers, and a copy of memory. The ceilings against which kernels
 * are judged.
 */
import { compile, type Gpu, kernelBuilder, type Op, record1, sizeOf, type Tensor } from '@franca/tensor';
import { time } from './measure';

export interface Peak {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  /**
   * Whether a second is one of processor time, of all threads together. On a software adapter it is: the share of a peak then means the
   * same on a busy machine as on a quiet one.
   */
  readonly byProcessor: boolean;
}

const SUMS = 12;
const UNROLLED = 8;
const ITERATIONS = 2000;

/** Independent chains of multiply-adds, enough of them to hide each one's latency, with nothing to load. */
const multiplyAdds: Op<{ invocations: number }> = {
  name: 'multiply-adds',
  infer: ([x], { invocations }) => [{ shape: [invocations], dtype: x!.dtype }],
  reference: () => {
    throw new Error('has no reference');
  },
  lower({ inputs: [x], outputs: [out], attrs: { invocations }, target }) {
    const k = kernelBuilder('multiply-adds', target);
    const [X, Y] = [k.read(x!), k.write(out!)];
    const sums = Array.from({ length: SUMS }, (_, i) => `c${i}`);
    const step = sums.map((sum) => `${sum} = ${sum} * x + y;`).join(' ');
    const body = `
  let x = ${X}[0]; let y = ${X}[1];
  ${sums.map((sum, i) => `var ${sum} = vec4<f32>(f32(thread + ${i}u));`).join(' ')}
  for (var i = 0u; i < ${k.uniform(ITERATIONS)}; i++) { ${Array.from({ length: UNROLLED }, () => step).join('\n')} }
  ${Y}[thread] = dot(${sums.join(' + ')}, vec4<f32>(1.0));`;
    return [k.build({ body, workgroupSize: 64, workgroups: invocations / 64, serial: 1 })];
  },
};

const copyOp: Op<object> = {
  name: 'copy',
  infer: ([x]) => [x!],
  reference: ([x]) => [x!.data],
  lower({ inputs: [x], outputs: [out], target }) {
    const k = kernelBuilder('copy', target);
    const [X, Y] = [k.read(x!, 'vec4<f32>'), k.write(out!, 'vec4<f32>')];
    const units = x!.shape[0]! / 4;
    // a CPU's thread reads on where it is, a GPU's neighbours read side by side
    const at = target.family === 'cpu' ? 'thread * 4u + i' : `thread + i * ${k.uniform(units / 4)}`;
    const body = `  for (var i = 0u; i < ${k.uniform(4)}; i++) { let at = ${at}; ${Y}[at] = ${X}[at]; }`;
    return [k.build({ body, workgroupSize: 64, workgroups: units / 4 / 64, serial: 1 })];
  },
};

export async function measurePeak(gpu: Gpu): Promise<Peak> {
  const large = gpu.target.family === 'gpu';
  const invocations = large ? 2 ** 18 : 2 ** 10;
  const elements = large ? 2 ** 25 : 2 ** 23;
  const arithmetic = await bestSeconds(gpu, [2], (x) => record1(multiplyAdds, [x], { invocations }));
  const copy = await bestSeconds(gpu, [elements], (x) => record1(copyOp, [x], {}));
  return {
    flopsPerSecond: (2 * 4 * SUMS * UNROLLED * ITERATIONS * invocations) / arithmetic,
    bytesPerSecond: (2 * 4 * elements) / copy,
    byProcessor: !large,
  };
}

/** A ceiling is what was reached once: the best of several runs. */
async function bestSeconds(gpu: Gpu, shape: number[], build: (x: Tensor) => Tensor): Promise<number> {
  using step = await compile(gpu, (_, { x }) => build(x), { batch: { x: { shape, dtype: 'f32' } } });
  step.run({ x: new Float32Array(sizeOf(shape)) });
  const run = (): Promise<void> => {
    step.run();
    return step.done();
  };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++) {
    const { wall, processor } = await time({ run }, 1);
    best = Math.min(best, gpu.target.family === 'cpu' ? processor : wall);
  }
  return best / 1000;
}
