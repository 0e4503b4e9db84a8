import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import type { SubgroupMatrixConfig } from '../../base/target';
import { range } from '../../base/whole-numbers';
import { planStep } from '../../compile';
import type { Gpu } from '../../device/gpu';
import type { LowerArgs, Tensor } from '../../graph/op';
import { record1 } from '../../graph/record';
import { type CheckInput, checkOp, normals } from '../../testing';
import { openMatrixGpu } from '../../testing/matrix-gpu';
import { PAPER_ADAPTERS } from '../../testing/paper-adapters';
import { add, cast, gelu, mul } from '../elementwise';
import { constant } from '../sources';
import { type MatmulAttrs, matmul, matmulOp, matmulProblem } from './matmul';
import {
  type MatrixTile,
  matrixTileColumns,
  matrixTileFits,
  matrixTileName,
  matrixTileRows,
  matrixTiles,
} from './matrix-tile';
import { splitMatmul } from './split';
import { matrixMatmul } from './subgroup-matrix';

// multiples of 1/64 are exact in f16 and their products and sums in f32; the result is stored as f16, rounded to nearest
const half = (shape: readonly number[], seed: number): CheckInput => ({
  shape,
  dtype: 'f16',
  values: normals(sizeOf(shape), seed).map((value) => Math.round(value * 64) / 64),
  differentiate: false,
});
const tolerance = 2 ** -11;

type Layout = Pick<MatmulAttrs, 'transposeA' | 'transposeB'>;
type Size = readonly [M: number, N: number, K: number];

interface Case {
  readonly size: Size;
  readonly layout?: Partial<Layout>;
  /** Ranges of k (default 1). */
  readonly ranges?: number;
  readonly batch?: number;
  readonly epilogue?: Epilogue;
}

/** What follows the product in its kernel, and the error that its roundings allow. */
interface Epilogue {
  readonly error: number;
  results(product: Tensor): Tensor | readonly Tensor[];
}

const BATCH = 2;
const EPILOGUES = {
  'a bias and an activation': ([, N]) => {
    const bias = constant(normals(N, 5), [N]);
    return { error: tolerance, results: (product) => gelu(add(cast(product, 'f32'), bias)) };
  },
  // a sum in f16 of a product that was rounded to f16: two roundings of half a unit in the last place
  'a residual': ([M, N]) => {
    const residual = constant(normals(BATCH * M * N, 6), [BATCH, M, N], 'f16');
    return { error: 2 * tolerance, results: (product) => add(product, residual) };
  },
  'two results': () => ({ error: tolerance, results: (product) => [product, mul(cast(product, 'f32'), 0.5)] }),
} as const satisfies Record<string, (size: Size) => Epilogue>;

async function check(gpu: Gpu, tile: MatrixTile, { size: [M, N, K], layout, ranges = 1, ...own }: Case): Promise<void> {
  const { transposeA = false, transposeB = false } = layout ?? {};
  const { batch = BATCH, epilogue = { error: tolerance, results: (product) => product } } = own;
  const op = {
    ...matmulOp,
    lower: (args: LowerArgs<MatmulAttrs>) =>
      splitMatmul(matmulProblem(args), ranges, tile.depth, (problem) => matrixMatmul(problem, tile)),
  };
  const a = half(transposeA ? [batch, K, M] : [batch, M, K], 1);
  const b = half(transposeB ? [batch, N, K] : [batch, K, N], 2);
  const graph = (...[x, y]: Tensor[]) => epilogue.results(record1(op, [x!, y!], { transposeA, transposeB }));
  await checkOp(gpu, graph, [a, b], { tolerance: epilogue.error });
}

const NONE = 'the adapter has no f16 or no subgroups';

describe('matmul on subgroup matrices', () => {
  let gpu: Gpu;
  let config: SubgroupMatrixConfig | undefined;
  beforeAll(async () => {
    gpu = await openMatrixGpu();
    config = gpu.target.subgroupMatrices[0];
  });
  afterAll(() => gpu.dispose());

  /** Forms of tiles, each of several matrices in both directions where the adapter's are of 8 x 8. */
  const TILES = {
    'four subgroups': { subgroupRows: 2, subgroupColumns: 2, blockRows: 2, blockColumns: 2, depth: 32 },
    'eight, side by side': { subgroupRows: 2, subgroupColumns: 4, blockRows: 2, blockColumns: 1, depth: 32 },
    'eight, one above the other': { subgroupRows: 4, subgroupColumns: 2, blockRows: 1, blockColumns: 2, depth: 16 },
    'long steps': { subgroupRows: 1, subgroupColumns: 2, blockRows: 2, blockColumns: 1, depth: 64 },
  } as const satisfies Record<string, Omit<MatrixTile, 'config'>>;

  const ODD = [37, 42, 45] as const;
  test.for<[name: string, tile: keyof typeof TILES, own: Case]>([
    ['A B, of which no row is a whole number of vectors', 'four subgroups', { size: ODD }],
    ['At Bt', 'four subgroups', { size: ODD, layout: { transposeA: true, transposeB: true } }],
    ['A Bt in long steps', 'long steps', { size: [20, 16, 136], layout: { transposeB: true } }],
    ['A Bt, rows of units', 'four subgroups', { size: [70, 40, 136], layout: { transposeB: true } }],
    ['At B, rows of units', 'eight, side by side', { size: [72, 40, 75], layout: { transposeA: true } }],
    ['A B, k a multiple of four as in patches', 'eight, one above the other', { size: [33, 36, 60] }],
    ['one element', 'four subgroups', { size: [1, 1, 1], batch: 1 }],
    ['more rows of tiles than a band has', 'four subgroups', { size: [300, 72, 32], batch: 1 }],
    ['k in ranges, tiles inside of C and across its edge', 'four subgroups', { size: [72, 40, 200], ranges: 3 }],
    ['k in ranges of odd rows', 'eight, side by side', { size: [20, 33, 100], ranges: 2 }],
  ])('%s', ([, tile, own], context) => {
    context.skip(!config, NONE);
    return check(gpu, { ...TILES[tile], config: config! }, own);
  });

  test.for(Object.entries(EPILOGUES))('with %s', ([, epilogue], context) => {
    context.skip(!config, NONE);
    const size = [70, 40, 64] as const;
    return check(gpu, { ...TILES['four subgroups'], config: config! }, { size, epilogue: epilogue(size) });
  });
});

/** Pairs of layouts that have each operand both ways: how A lies tells a kernel no more of B than where its tile begins. */
const LAYOUTS = [
  { 'A B': { transposeA: false, transposeB: false }, 'At Bt': { transposeA: true, transposeB: true } },
  { 'A Bt': { transposeA: false, transposeB: true }, 'At B': { transposeA: true, transposeB: false } },
] as const;

// every tile with its operands both ways, and with all epilogues at once in one way, with k in ranges in the other
describe('tiles for subgroups of 32', async () => {
  const gpus = await Promise.all([16, 8].map((size) => openMatrixGpu({ M: size, N: size, K: size })));
  afterAll(() => Promise.all(gpus.map((gpu) => gpu.dispose())));

  /** In the shorter step, if the adapter has no room for the whole: software drivers have 32 KiB. */
  const fitted = (tile: MatrixTile, { target }: Gpu): MatrixTile | undefined =>
    [tile, { ...tile, depth: Math.max(tile.depth / 2, tile.config.K) }].find((own) => matrixTileFits(own, target));
  /** Of the larger matrices where those fit: there are fewer of them, and all else is the same. */
  const forms = range(matrixTiles({ M: 8, N: 8, K: 8 }, 32).length).map((form) => {
    const fitting = gpus.flatMap((gpu) => {
      const [config] = gpu.target.subgroupMatrices;
      const tile = config && fitted(matrixTiles(config, 32)[form]!, gpu);
      return tile ? [{ gpu, tile }] : [];
    });
    return fitting[0];
  });
  const tiles = new Map(forms.flatMap((form) => (form ? [[matrixTileName(form.tile), form]] : [])));
  const all = (size: Size): Epilogue => {
    const epilogues = Object.values(EPILOGUES).map((epilogue) => epilogue(size));
    return {
      error: Math.max(...epilogues.map(({ error }) => error)),
      results: (product) => epilogues.flatMap(({ results }) => results(product)),
    };
  };

  test('are all executed', (context) => {
    context.skip(!gpus[0]!.target.subgroupMatrices[0], NONE);
    expect(forms).not.toContain(undefined);
  });

  test.for(
    [...tiles].flatMap(([name, form], i) =>
      Object.entries(LAYOUTS[i % 2]!).map(([layout, own], j) => ({
        name: `${name}, ${layout}`,
        ...form,
        layout: own,
        whole: (i >> 1) % 2 === j,
      })),
    ),
  )('$name', ({ gpu, tile, layout, whole }) => {
    const size = [matrixTileRows(tile) + 8, matrixTileColumns(tile) + 8, 3 * tile.depth] as const;
    return check(gpu, tile, { size, layout, ...(whole ? { epilogue: all(size) } : { ranges: 2 }) });
  });
});

describe('the text of the kernel', () => {
  const target = PAPER_ADAPTERS.at(-1)!;
  const plan = planStep(target, {}, (_, { a, b }) => matmul(a!, b!), {
    batch: { a: { shape: [4096, 4096], dtype: 'f16' }, b: { shape: [4096, 4096], dtype: 'f16' } },
  });
  const [kernel] = plan.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));
  const loop = /for \(var step[\s\S]*?\n {2}}/.exec(kernel!.wgsl)![0];

  test('moves units of 16 bytes only', () => {
    expect(kernel!.wgsl).toContain('var<workgroup> tiles: array<vec4<u32>');
    expect(loop).not.toMatch(/f16\(|\[[0-3]\]/);
  });
  test('has one barrier a step, after the loads of the next step and the products of this one', () => {
    const order = ['unitA(', 'subgroupMatrixMultiplyAccumulate(', 'tiles[buffer', 'workgroupBarrier()'];
    const places = order.map((text) => loop.indexOf(text));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(loop.match(/workgroupBarrier/g)).toHaveLength(1);
  });
  test('lets results leave in two rounds', () => {
    expect(kernel!.wgsl.slice(kernel!.wgsl.indexOf(loop) + loop.length).match(/workgroupBarrier/g)).toHaveLength(3);
  });
});
