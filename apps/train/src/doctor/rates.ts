/**
 * Measured rates of an adapter: how fast it multiplies matrices and moves memory. The time of a plan follows from them. Kept in the user's
 * cache, one entry per adapter, so that `plan` can use what `doctor --measure` found.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultCacheDir } from '@franca/data';
import { add, compile, type DType, type Gpu, matmul, sum, type Target, type Tensor } from '@franca/tensor';

export interface Rates {
  /** Floating-point operations per second of matrix products, by element type. */
  readonly flops: Readonly<Partial<Record<'f32' | 'f16', number>>>;
  /** Bytes read and written per second by elementwise kernels. */
  readonly bytes: number;
  readonly date: string;
}

type RateFile = Readonly<Record<string, Rates>>;

const defaultPath = (): string => join(defaultCacheDir(), 'rates.json');

/** Rates that were measured on the adapter of that name, if any. */
export async function knownRates(adapter: string, path: string = defaultPath()): Promise<Rates | undefined> {
  return (await readRates(path))[adapter];
}

/** Keeps rates for later. */
export async function keepRates(adapter: string, rates: Rates, path: string = defaultPath()): Promise<void> {
  const all: RateFile = { ...(await readRates(path)), [adapter]: rates };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(all, undefined, 2));
  await rename(`${path}.new`, path);
}

/** A file that is absent or broken holds no rates: measuring again costs a second. */
async function readRates(path: string): Promise<RateFile> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RateFile;
  } catch {
    return {};
  }
}

/** The target with measured rates in place of rough ones. */
export const withRates = (target: Target, rates: Rates | undefined, precision: 'f32' | 'f16'): Target =>
  rates
    ? {
        ...target,
        flopsPerSecond: rates.flops[precision] ?? rates.flops.f32 ?? target.flopsPerSecond,
        bytesPerSecond: rates.bytes,
      }
    : target;

/** Measures an adapter: the median of a few runs of each kind. Takes a second or two. */
export async function measureRates(gpu: Gpu): Promise<Rates> {
  const side = gpu.target.family === 'cpu' ? 512 : 4096;
  const elements = gpu.target.family === 'cpu' ? 2 ** 22 : 2 ** 25;
  const product = async (dtype: DType) => {
    const seconds = await secondsOf(gpu, [side, side], dtype, (a, b) => matmul(a, b));
    return (2 * side ** 3) / seconds;
  };
  return {
    flops: { f32: await product('f32'), ...(gpu.target.f16 ? { f16: await product('f16') } : {}) },
    bytes: (3 * 4 * elements) / (await secondsOf(gpu, [elements], 'f32', add)),
    date: new Date().toISOString().slice(0, 10),
  };
}

const CHAIN = 8;
const RUNS = 5;

/** Median time of one `op` in a chain of them. */
async function secondsOf(
  gpu: Gpu,
  shape: readonly number[],
  dtype: DType,
  op: (a: Tensor, b: Tensor) => Tensor,
): Promise<number> {
  using step = await compile(
    gpu,
    (_, { a, b }: { a: Tensor; b: Tensor }) => {
      let x = a;
      for (let i = 0; i < CHAIN; i++) x = op(x, b);
      return { total: sum(x) };
    },
    { batch: { a: { shape, dtype }, b: { shape, dtype } }, fusion: false },
  );
  const times: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const began = performance.now();
    step.run();
    await step.done();
    times.push((performance.now() - began) / 1000 / CHAIN);
  }
  return median(times.slice(1));
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
