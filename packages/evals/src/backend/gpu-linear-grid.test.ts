import type { Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp } from '@franca/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gaussian } from '../../test/support';
import { cpuBackend } from './cpu';
import { crossEntropy } from './cross-entropy-op';
import type { LinearGridSession, LinearGridSpec, LinearHead } from './eval-backend';
import { gpuBackend } from './gpu';
import { fitsGrid, openLinearGrid } from './gpu-linear-grid';

const targets = {
  'kernels for processors': {},
  'kernels for GPUs': { family: 'gpu' },
  'kernels without subgroups': { family: 'gpu', subgroupSize: undefined },
  // room for 256 numbers: of the dense problem below, logits of two heads and one image
  'bindings of 1 KiB': { maxBindingBytes: 1024 },
} as const;
type Kind = keyof typeof targets;
const kinds = Object.keys(targets) as Kind[];
const gpus = {} as Record<Kind, Gpu>;
beforeAll(async () => {
  for (const kind of kinds) gpus[kind] = await openGpu({ target: targets[kind] });
});
afterAll(async () => {
  for (const gpu of Object.values(gpus)) await gpu.dispose();
});

const u = 2 ** -24;
const steps = [1, 0.7, 0.2];

interface Problem {
  readonly items: number;
  readonly cols: number;
  readonly classes: number;
  /** Columns that each head reads. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
  readonly ignore?: number;
  readonly upsample?: LinearGridSpec['upsample'];
}

function specOf({ cols, classes, ranges, ignore, upsample }: Problem): LinearGridSpec {
  const heads = ranges.map(([start, end], i): LinearHead => {
    const weight = gaussian(classes, end - start, 10 + i);
    return { start, end, learningRate: 0.3 / (i + 1), initial: { weight, bias: gaussian(1, classes, 50 + i).data } };
  });
  return { inputs: cols, classes, heads, momentum: 0.9, weightDecay: 0.01, ignore, upsample };
}

const area = ([rows, cols]: readonly [number, number]) => rows * cols;

/** Losses of three steps, and the heads after them. */
async function train(session: LinearGridSession, { items, cols, classes, ignore, upsample }: Problem) {
  using open = session;
  const losses: number[] = [];
  for (const [i, rate] of steps.entries()) {
    const x = gaussian(items * (upsample ? area(upsample.from) : 1), cols, 100 + i);
    const labels = Int32Array.from({ length: items * (upsample ? area(upsample.to) : 1) }, (_, j) =>
      ignore !== undefined && j % 3 === 1 ? ignore : (7 * j + i) % classes,
    );
    losses.push(...(await open.step(x, labels, rate)));
  }
  return { losses, heads: await open.heads() };
}

/**
 * A step sums products over columns, rows (or pixels) and classes in f32; each sum of n is off by n u of its terms' sizes, and what is off
 * in a logit enters the exponent. Logits and their terms stay below 32, and the rates below 1, so that errors of steps add up.
 */
function tolerance({ items, cols, classes, upsample }: Problem): number {
  const length = cols + items * (upsample ? area(upsample.to) : 1) + classes + 16;
  return steps.length * 32 * length * u;
}

async function compare(problem: Problem, kind: Kind): Promise<void> {
  const spec = specOf(problem);
  const actual = await train(openLinearGrid(gpus[kind], spec), problem);
  const expected = await train(cpuBackend.openLinearGrid(spec), problem);
  const allowed = tolerance(problem);
  const close = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    expect(a.length).toBe(b.length);
    for (let i = 0; i < b.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(allowed);
  };
  close(actual.losses, expected.losses);
  expected.heads.forEach(({ weight, bias }, h) => {
    expect(actual.heads[h]!.weight).toMatchObject({ rows: weight.rows, cols: weight.cols });
    close(actual.heads[h]!.weight.data, weight.data);
    close(actual.heads[h]!.bias, bias);
  });
}

const plain: Problem = {
  items: 31,
  cols: 13,
  classes: 7,
  ranges: [
    [2, 13],
    [0, 5],
    [2, 13],
    [2, 13],
    [2, 13],
  ],
  ignore: 3,
};
const dense: Problem = { ...plain, items: 3, classes: 5, upsample: { from: [2, 3], to: [5, 4] }, ignore: 255 };

test('heads train over their own columns as on the CPU, up to f32 rounding', () =>
  compare(plain, 'kernels for processors'));
test('heads train through the upsampling to pixels as on the CPU', () => compare(dense, 'kernels for processors'));
test('kernels for GPUs give the same', () => compare({ ...plain, ranges: [[2, 13]] }, 'kernels for GPUs'));
test('where bindings are small, heads and batches are split', () => compare(dense, 'bindings of 1 KiB'));

test.each<Problem>([
  { items: 1, cols: 1, classes: 1, ranges: [[0, 1]] },
  { items: 1, cols: 5, classes: 11, ranges: [[1, 4]] },
  { items: 2, cols: 3, classes: 1, ranges: [[0, 3]], ignore: 255, upsample: { from: [4, 1], to: [2, 3] } },
])('$items items of $cols columns in $classes classes, upsampled $upsample', (problem) =>
  compare(problem, 'kernels for processors'),
);

test('batches of several sizes train the same heads', async () => {
  const spec = specOf(plain);
  using actual = openLinearGrid(gpus['kernels for processors'], spec);
  using expected = cpuBackend.openLinearGrid(spec);
  for (const items of [31, 20, 31, 0]) {
    const [x, labels] = [gaussian(items, 14, items), new Int32Array(items)];
    const losses = await expected.step(x, labels, 1);
    (await actual.step(x, labels, 1)).forEach((loss, h) => {
      expect(Math.abs(loss - losses[h]!)).toBeLessThanOrEqual(tolerance(plain));
    });
  }
});

test('a batch of ignored targets changes nothing, not even momenta', async () => {
  const spec = specOf(plain);
  using session = openLinearGrid(gpus['kernels for processors'], spec);
  expect(await session.step(gaussian(4, 13, 1), new Int32Array(4).fill(3), 1)).toEqual(new Float64Array(5));
  expect(await session.heads()).toEqual(spec.heads.map(({ initial }) => initial));
});

test.each(['cpu', 'gpu'] as const)('labels and rows that do not fit are refused (%s)', async (name) => {
  const open = (problem: Problem) =>
    name === 'cpu'
      ? cpuBackend.openLinearGrid(specOf(problem))
      : openLinearGrid(gpus['kernels for processors'], specOf(problem));
  using session = open(plain);
  using images = open(dense);
  const x = gaussian(2, 13, 1);
  for (const labels of [[0, 7], [0, -1], [0], [0, 0, 0]]) {
    await expect(session.step(x, Int32Array.from(labels), 1)).rejects.toMatchObject({ code: 'labels' });
  }
  await expect(session.step(gaussian(2, 12, 1), new Int32Array(2), 1)).rejects.toMatchObject({ code: 'features' });
  await expect(images.step(gaussian(7, 13, 1), new Int32Array(20), 1)).rejects.toMatchObject({ code: 'features' });
  await expect(images.step(gaussian(6, 13, 1), new Int32Array(6), 1)).rejects.toMatchObject({ code: 'labels' });
  expect(() => open({ ...plain, ranges: [] })).toThrow(/at least one head/);
});

test('a head that no binding holds is trained by the CPU', async () => {
  const gpu = await openGpu({ target: { family: 'gpu', maxBindingBytes: 256 } });
  using backend = gpuBackend(gpu);
  const spec = specOf(plain);
  expect(fitsGrid(gpu, spec)).toBe(false);
  expect(await train(backend.openLinearGrid(spec), plain)).toEqual(await train(cpuBackend.openLinearGrid(spec), plain));
  await gpu.dispose();
});

test.each(kinds.slice(0, 3))('cross-entropy and its gradient are the reference (%s)', async (kind) => {
  for (const [rows, heads, classes] of [
    [1, 1, 1],
    [5, 3, 7],
    [70, 1, 16],
    [9, 2, 17],
    [130, 2, 67],
  ] as const) {
    const labels = Float64Array.from({ length: rows }, (_, i) => ((5 * i) % (classes + 2)) - 1);
    await checkOp(
      gpus[kind],
      (logits, targets, share) => {
        const { losses, gradient } = crossEntropy(logits, { labels: targets, share: share }, classes);
        return [losses, gradient];
      },
      [
        { shape: [rows, heads * classes] },
        { shape: [rows], dtype: 'i32', values: labels },
        { shape: [], values: [0.1] },
      ],
      { gradient: false },
    );
  }
});

test.each(['cpu', 'gpu'] as const)(
  'what a session saves goes on in another one to the same bits (%s)',
  async (name) => {
    const open = (of: Problem = plain) =>
      name === 'cpu'
        ? cpuBackend.openLinearGrid(specOf(of))
        : openLinearGrid(gpus['kernels for processors'], specOf(of));
    const step = (session: LinearGridSession, seed: number) =>
      session.step(
        gaussian(31, 13, seed),
        Int32Array.from({ length: 31 }, (_, i) => (i + seed) % 7),
        1,
      );
    using whole = open();
    await step(whole, 1);
    const saved = structuredClone(await whole.save());
    const losses = await step(whole, 2);
    using resumed = open();
    resumed.load(saved);
    expect(await step(resumed, 2)).toEqual(losses);
    expect(await resumed.heads()).toEqual(await whole.heads());
    using other = open({ ...plain, cols: 14, ranges: [[0, 14]] });
    expect(() => other.load(saved)).toThrow(/in place of .* it is of other heads/);
  },
);
