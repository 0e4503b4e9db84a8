import { expect, test } from 'vitest';
import { describeTarget, LARGEST_GPU_BUFFER, type ListedMatrices, listedMatrices, matrixShapes } from './target';

const matrices = (M: number, N: number, K: number, componentType = 'f16', resultComponentType = 'f32') => ({
  M,
  N,
  K,
  componentType,
  resultComponentType,
});

/** As NVIDIA's drivers list them, the smallest first, and kinds that training has no use for. */
const LISTED: readonly ListedMatrices[] = [
  matrices(16, 8, 8),
  matrices(16, 8, 16),
  matrices(16, 16, 16, 'f16', 'f16'),
  matrices(16, 16, 16),
  matrices(16, 16, 32, 'u8', 'u32'),
];

const INFO: object = {
  vendor: 'nvidia',
  architecture: 'hopper',
  device: 'nvidia-h100-80gb-hbm3',
  description: 'NVIDIA: 580.159',
  isFallbackAdapter: false,
  subgroupMatrixConfigs: LISTED,
};

const FEATURES = ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'];
const factsOf = (info: object, limits: object = {}, features: readonly string[] = FEATURES) => ({
  info: { ...INFO, ...info } as GPUAdapterInfo,
  features: new Set(features),
  limits: { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 32 - 4, ...limits } as GPUSupportedLimits,
});

test('matrix shapes are sorted by the size of their product, in whatever order the driver lists them', () => {
  const sorted = ['16x16x16', '16x8x16', '16x8x8'];
  const named = (listed: readonly ListedMatrices[]) => matrixShapes(listed).map(({ M, N, K }) => `${M}x${N}x${K}`);
  expect(named(LISTED)).toEqual(sorted);
  expect(named([...LISTED].reverse())).toEqual(sorted);
  expect(named([matrices(32, 8, 8), matrices(8, 8, 32), matrices(8, 32, 8)])).toEqual(['8x8x32', '32x8x8', '8x32x8']);
  expect(describeTarget(factsOf({})).subgroupMatrices).toEqual(matrixShapes(LISTED));
});

test("the driver's own list is kept as it is", () => {
  expect(listedMatrices(factsOf({}).info)).toEqual(LISTED);
  expect(listedMatrices(factsOf({ subgroupMatrixConfigs: undefined }).info)).toEqual([]);
});

test('buffers and bindings of a GPU are no larger than one allocation; those of a software adapter are its own', () => {
  const gpu = describeTarget(factsOf({}));
  expect([gpu.maxBufferBytes, gpu.maxBindingBytes]).toEqual([LARGEST_GPU_BUFFER, LARGEST_GPU_BUFFER]);
  expect(LARGEST_GPU_BUFFER % 256).toBe(0);
  const small = describeTarget(factsOf({}, { maxStorageBufferBindingSize: 2 ** 27 }));
  expect(small.maxBindingBytes).toBe(2 ** 27);
  const software = describeTarget(factsOf({ isFallbackAdapter: true }));
  expect(software.maxBufferBytes).toBe(2 ** 40);
});

test('a GPU is called by its card and its driver', () => {
  expect(describeTarget(factsOf({})).name).toBe('nvidia-h100-80gb-hbm3, NVIDIA: 580.159');
  expect(describeTarget(factsOf({ device: '' })).name).toBe('NVIDIA: 580.159');
  expect(describeTarget(factsOf({ device: '', description: '' })).name).toBe('nvidia hopper');
  const software = {
    vendor: 'mesa',
    device: 'llvmpipe-llvm-15',
    description: 'llvmpipe: Mesa 25',
    isFallbackAdapter: true,
  };
  expect(describeTarget(factsOf(software)).name).toBe('llvmpipe: Mesa 25');
});

test.each([
  ['of one size', { subgroupMinSize: 32, subgroupMaxSize: 32 }, FEATURES, 32, false],
  ['none', { subgroupMinSize: 32, subgroupMaxSize: 32 }, ['shader-f16'], undefined, false],
  ['as the driver likes', { vendor: 'amd', subgroupMinSize: 32, subgroupMaxSize: 64 }, FEATURES, undefined, false],
  [
    'as a kernel states',
    { vendor: 'amd', subgroupMinSize: 32, subgroupMaxSize: 64 },
    [...FEATURES, 'subgroup-size-control'],
    64,
    true,
  ],
  [
    'as the driver likes, whose matrices are made for it',
    { vendor: 'intel', subgroupMinSize: 8, subgroupMaxSize: 32 },
    [...FEATURES, 'subgroup-size-control'],
    undefined,
    false,
  ],
] as const)('subgroups: %s', (_, info, features, subgroupSize, statesSubgroupSize) => {
  expect(describeTarget(factsOf(info, {}, features))).toMatchObject({ subgroupSize, statesSubgroupSize });
});
