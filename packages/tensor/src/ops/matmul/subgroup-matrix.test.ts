import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { sizeOf } from '../../base/shape';
import type { SubgroupMatrixConfig } from '../../base/target';
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
import type { MatrixTile } from './matrix-tile';
import { splitMatmul } from './split';
import { matrixMatmul } from './subgroup-matrix';

describe('matmul on subgroup matrices', () => {
  let gpu: Gpu;
  let config: SubgroupMatrixConfig | undefined;
  beforeAll(async () => {
    gpu = await openMatrixGpu();
    config = gpu.target.subgroupMatrices[0];
  });
  afterAll(() => gpu.dispose());

  // multiples of 1/64 are exact in f16 and their products and sums in f32; the result is stored as f16, rounded to nearest
  const half = (shape: readonly number[], seed: number): CheckInput => ({
    shape,
    dtype: 'f16',
    values: normals(sizeOf(shape), seed).map((value) => Math.round(value * 64) / 64),
    differentiate: false,
  });
  const tolerance = 2 ** -11;

  /** Forms of tiles, each of several matrices in both directions where the adapter's are of 8 x 8. */
  const TILES = {
    'four subgroups': { subgroupRows: 2, subgroupColumns: 2, blockRows: 2, blockColumns: 2, depth: 32 },
    'eight, side by side': { subgroupRows: 2, subgroupColumns: 4, blockRows: 2, blockColumns: 1, depth: 32 },
    'eight, one above the other': { subgroupRows: 4, subgroupColumns: 2, blockRows: 1, blockColumns: 2, depth: 16 },
    'long steps': { subgroupRows: 1, subgroupColumns: 2, blockRows: 2, blockColumns: 1, depth: 64 },
  } as const satisfies Record<string, Omit<MatrixTile, 'config'>>;

  interface Case {
    readonly tile: keyof typeof TILES;
    readonly size: readonly [M: number, N: number, K: number];
    readonly attrs?: Partial<MatmulAttrs>;
    /** Ranges of k (default 1). */
    readonly ranges?: number;
    readonly batch?: number;
    readonly epilogue?: (product: Tensor) => Tensor | readonly Tensor[];
  }

  async function check(
    context: TestContext,
    { tile, size: [M, N, K], attrs, ranges = 1, batch = 2, ...own }: Case,
    error = tolerance,
  ) {
    context.skip(!config, 'the adapter has no f16 or no subgroups');
    const { transposeA = false, transposeB = false } = attrs ?? {};
    const { epilogue = (product: Tensor) => product } = own;
    const op = {
      ...matmulOp,
      lower: (args: LowerArgs<MatmulAttrs>) =>
        splitMatmul(matmulProblem(args), ranges, TILES[tile].depth, (problem) =>
          matrixMatmul(problem, { ...TILES[tile], config: config! }),
        ),
    };
    const a = half(transposeA ? [batch, K, M] : [batch, M, K], 1);
    const b = half(transposeB ? [batch, N, K] : [batch, K, N], 2);
    await checkOp(gpu, (...[x, y]) => epilogue(record1(op, [x!, y!], { transposeA, transposeB })), [a, b], {
      tolerance: error,
    });
  }

  const ODD = [37, 42, 45] as const;
  test.for([
    ['A B, of which no row is a whole number of vectors', { tile: 'four subgroups', size: ODD }],
    ['At Bt', { tile: 'four subgroups', size: ODD, attrs: { transposeA: true, transposeB: true } }],
    ['A Bt in long steps', { tile: 'long steps', size: [20, 16, 136], attrs: { transposeB: true } }],
    ['A Bt, rows of units', { tile: 'four subgroups', size: [70, 40, 136], attrs: { transposeB: true } }],
    ['At B, rows of units', { tile: 'eight, side by side', size: [72, 40, 75], attrs: { transposeA: true } }],
    ['A B, k a multiple of four as in patches', { tile: 'eight, one above the other', size: [33, 36, 60] }],
    ['one element', { tile: 'four subgroups', size: [1, 1, 1], batch: 1 }],
    ['more rows of tiles than a band has', { tile: 'four subgroups', size: [300, 72, 32], batch: 1 }],
    ['k in ranges, tiles inside of C and across its edge', { tile: 'four subgroups', size: [72, 40, 200], ranges: 3 }],
    ['k in ranges of odd rows', { tile: 'eight, side by side', size: [20, 33, 100], ranges: 2 }],
  ] as const satisfies readonly (readonly [string, Case])[])('%s', ([, own], context) => check(context, own));

  const bias = () => constant(normals(40, 5), [40]);
  // a sum in f16 of a product that was rounded to f16: two roundings of half a unit in the last place
  test.for([
    ['a bias and an activation', tolerance, (product: Tensor) => gelu(add(cast(product, 'f32'), bias()))],
    ['a residual', 2 * tolerance, (product: Tensor) => add(product, constant(normals(5600, 6), [2, 70, 40], 'f16'))],
    ['two results', tolerance, (product: Tensor) => [product, mul(cast(product, 'f32'), 0.5)]],
  ] as const)('with %s', ([, error, epilogue], context) =>
    check(context, { tile: 'four subgroups', size: [70, 40, 64], epilogue }, error),
  );
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
