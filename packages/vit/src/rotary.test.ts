import { type Gpu, input, interpret, matmul, sliceAxis, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp, normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { vitConfig } from './config';
import { rotaryTable, rotate, rotateSegments } from './rotary';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const config = vitConfig('tiny', { embedDim: 24, numHeads: 2, numRegisterTokens: 2, ropeTheta: 50 });
const table = (grid: readonly [number, number]) => rotaryTable(grid, config, 'f32')!;

test('the projection turned, and its gradient', async () => {
  const one = table([3, 1]);
  await checkOp(gpu, (qkv) => rotate(qkv, 2, one), [{ shape: [2, 6, 72] }], { directions: 8 });
});

test('in f16, where there is one', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const one = rotaryTable([3, 1], config, 'f16')!;
  // table, products and their sum are rounded to 11 bits each, beside values of up to 3
  const options = { gradient: false, tolerance: 4e-3 };
  await checkOp(gpu, (qkv) => rotate(qkv, 2, one), [{ shape: [2, 6, 72], dtype: 'f16' }], options);
});

test('the same of images of two grids behind each other', () => {
  const segments = [
    { B: 2, N: 9 },
    { B: 1, N: 9 },
  ];
  const rows = input('rows', [27, 72]);
  const turned = rotateSegments(rows, 2, segments, [table([2, 3]), table([3, 2])]);
  const own = (x: Tensor, i: number) => sliceAxis(x, 0, 9 * i, 9 * i + 9);
  const alone = [0, 1, 2].map((i) =>
    rotate(sliceAxis(input('images', [3, 9, 72]), 0, i, i + 1), 2, table(i < 2 ? [2, 3] : [3, 2])),
  );
  const all = [0, 1, 2].map((i) => own(turned, i));
  const values = normals(27 * 72, 3);
  const { value } = interpret([...all, ...alone], { rows: values, images: values });
  for (const [i, part] of all.entries()) expect(value(part).data).toEqual(value(alone[i]!).data);
});

test('products of queries and keys depend on how far patches are apart, values and what comes before patches stay', () => {
  const w = 5;
  // the same query and key everywhere
  const row = normals(72, 4);
  const repeated = Array.from({ length: 8 * 72 }, (_, i) => row[i % 72]!);
  const turned = rotate(input('qkv', [1, 8, 72]), 2, table([1, w]));
  const head = (part: number) => sliceAxis(turned, 2, part * 24, part * 24 + 12);
  const products = matmul(head(0), head(1), { transposeB: true });
  const { value } = interpret([products, turned], { qkv: repeated });
  const at = (query: number, key: number) => value(products).data[(3 + query) * 8 + 3 + key]!;
  for (const [a, b] of [
    [0, 1],
    [1, 3],
    [2, 0],
  ] as const)
    expect(at(a + 1, b + 1)).toBeCloseTo(at(a, b), 12);
  expect(at(0, 1)).not.toBeCloseTo(at(0, 2), 3);
  const out = value(turned).data;
  for (let token = 0; token < 8; token++)
    for (let j = token < 3 ? 0 : 48; j < 72; j++) expect(out[token * 72 + j]).toBe(row[j]);
});

test('there is no table where positions are learned', () => {
  const { ropeTheta: _, ...learned } = config;
  expect(rotaryTable([2, 2], learned, 'f32')).toBeUndefined();
});
