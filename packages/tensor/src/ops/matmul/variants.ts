/**
 * The kernels that can compute a product, by name. On a GPU they sum in different orders, and a model (`tile-model.ts`) names the three that
 * should be fastest: the first is the default, and the tuner measures which it is (see `tuner.ts`). On a CPU adapter the choice is one of the
 * processor, for all large products and for all of a short k: taller tiles read B less often, and a resident B only once, but their code may
 * not fit where the processor keeps it. There, every kernel sums over k in the same order, so that results have the same bits whatever is chosen.
 */
import { sizeOf } from '../../base/shape';
import type { SubgroupMatrixConfig, Target } from '../../base/target';
import type { ElementAt, Kernel, Spec, Variants } from '../../graph/op';
import { broadcastMatmul } from './broadcast';
import { matrixTileFits, matrixTileName, matrixTiles } from './matrix-tile';
import { naiveMatmul } from './naive';
import { type Operand, operandIndex } from './operand';
import type { MatmulProblem } from './problem';
import { registerMatmul } from './register';
import { residentFits, residentMatmul } from './resident';
import { splitMatmul } from './split';
import { matrixMatmul } from './subgroup-matrix';
import { type Tile, tileBytes, tileInvocations, tileMatmul, tileName } from './tile';
import {
  bestFew,
  bestRanges,
  expectedSeconds,
  matrixTileCost,
  type ProductSize,
  type Ranked,
  scalarTileCost,
  type TileCost,
} from './tile-model';

interface MatmulVariant {
  readonly name: string;
  readonly lower: () => Kernel[];
}

/** Kernels that fit the problem and its target, the default first; the first `worthwhile` are worth measuring. */
interface Found {
  readonly variants: readonly MatmulVariant[];
  readonly worthwhile: number;
}

function matmulVariants(problem: MatmulProblem): Found {
  if (problem.target.family === 'gpu') return gpuVariants(problem);
  const variants = cpuVariants(problem);
  return { variants, worthwhile: variants.length };
}

/** The choice that there is for a product, for the tuner. */
export function matmulChoice(problem: MatmulProblem): Variants {
  const { variants, worthwhile } = matmulVariants(problem);
  const names = variants.map(({ name }) => name);
  // what is chosen for matrices serves windows too
  if (problem.target.family === 'cpu' && isWindowed(problem))
    return { key: matmulKey(problem), names: names.slice(0, 1), reference: names[0]! };
  const own = { key: matmulKey(problem), names, candidates: names.slice(0, worthwhile), flops: flopsOf(problem) };
  return problem.target.family === 'cpu'
    ? { ...own, reference: names[0]!, samples: residentFits(problem) ? SHORT_SAMPLES : LARGE_SAMPLES }
    : { ...own, reference: NAIVE, element: (operands, at) => elementOf(problem, operands, at) };
}

const isWindowed = ({ a, b }: MatmulProblem): boolean => (a.window ?? b.window) !== undefined;

/** What products share a measurement: on a GPU those of one layout, type and size, on a CPU adapter all of a kind. */
function matmulKey(problem: MatmulProblem): string {
  const { a, b, target } = problem;
  const { batch, M, N, K } = problem.dims;
  if (target.family === 'cpu') return residentFits(problem) ? 'matmul of a short k' : 'large matmul';
  return `matmul ${a.alongK ? 'N' : 'T'}${b.alongK ? 'T' : 'N'} ${a.tensor.dtype} ${batch}x${M}x${N}x${K}${windowKey(a)}${windowKey(b)}`;
}

/** A window's reads depend on all of its sizes. */
const windowKey = ({ window }: Operand): string => {
  if (!window) return '';
  const { image, grid, taps, stride, spread } = window;
  return ` of ${[image, grid, taps, stride, spread].map((sizes) => sizes.join('x')).join(' ')}`;
};

/** One element of C in f64. */
function elementOf({ dims, a, b }: MatmulProblem, [A, B]: readonly ElementAt[], at: number): number {
  const { M, N, K } = dims;
  const z = Math.floor(at / (M * N));
  const [row, column] = [Math.floor(at / N) % M, at % N];
  const value = (operand: Operand, at: ElementAt, free: number, k: number): number => {
    const index = operandIndex(operand, z, free, k);
    return index === undefined ? 0 : at(index);
  };
  let sum = 0;
  for (let k = 0; k < K; k++) sum += value(a, A!, row, k) * value(b, B!, column, k);
  return sum;
}

/** Kernels of the variant that the target's tuning names, or of the default. */
export function lowerMatmul(problem: MatmulProblem): Kernel[] {
  const { variants } = matmulVariants(problem);
  const name = problem.target.tuned[matmulKey(problem)];
  return (variants.find((variant) => variant.name === name) ?? variants[0]!).lower();
}

const NAIVE = 'naive';
const RESIDENT = 'resident';

const flopsOf = ({ dims: { batch, M, N, K } }: MatmulProblem): number => 2 * batch * M * N * K;

// A tall tile takes long to compile, which a smaller product does not repay.
const LARGE = { M: 512, flops: 5e8 };
// @__NO_SIDE_EFFECTS__
function matrix(rows: number, columns: number): Spec {
  return { shape: [rows, columns], dtype: 'f32' };
}
/** Large products that are quickly computed: x Wt and g W, as of a linear layer. Sizes are no powers of two, which are a cache's worst. */
const LARGE_SAMPLES = [
  { inputs: [matrix(1024, 384), matrix(768, 384)], attrs: { transposeA: false, transposeB: true } },
  { inputs: [matrix(1024, 768), matrix(768, 384)], attrs: { transposeA: false, transposeB: false } },
];
/** Likewise of a short k. */
const SHORT_SAMPLES = [
  { inputs: [matrix(960, 96), matrix(384, 96)], attrs: { transposeA: false, transposeB: true } },
  { inputs: [matrix(960, 96), matrix(96, 384)], attrs: { transposeA: false, transposeB: false } },
];

function cpuVariants(problem: MatmulProblem): MatmulVariant[] {
  const { dims, target } = problem;
  const lanes = target.subgroupSize;
  if (lanes === undefined || lanes > 32) return [{ name: 'register 8x8', lower: () => [registerMatmul(problem)] }];
  const isLarge = dims.M >= LARGE.M && flopsOf(problem) >= LARGE.flops;
  const suited = dims.M <= 8 ? [8] : dims.M <= 16 ? [16] : isLarge ? [32, 64] : [32];
  const tiles = suited.map((least) => {
    const rows = Math.max(least, lanes);
    return { name: `broadcast ${rows}`, lower: () => [broadcastMatmul(problem, rows)] };
  });
  return residentFits(problem) ? [{ name: RESIDENT, lower: () => [residentMatmul(problem)] }, tiles[0]!] : tiles;
}

const TILES: readonly Tile[] = [
  { rows: 128, columns: 128, depth: 8, blockRows: 8, blockColumns: 8 },
  { rows: 128, columns: 64, depth: 16, blockRows: 8, blockColumns: 4 },
  { rows: 64, columns: 64, depth: 16, blockRows: 8, blockColumns: 4 },
  { rows: 64, columns: 64, depth: 32, blockRows: 4, blockColumns: 4 },
  { rows: 32, columns: 64, depth: 16, blockRows: 4, blockColumns: 4 },
  { rows: 16, columns: 64, depth: 16, blockRows: 4, blockColumns: 4 },
];

/** A kernel by tiles of one size. */
interface Tiled {
  readonly name: string;
  readonly cost: TileCost;
  readonly matrices: string;
  readonly lower: (problem: MatmulProblem) => Kernel;
}

const scalarTiles = ({ maxWorkgroupInvocations, maxWorkgroupBytes }: Target): Tiled[] =>
  TILES.filter((tile) => tileInvocations(tile) <= maxWorkgroupInvocations && tileBytes(tile) <= maxWorkgroupBytes).map(
    (tile) => ({
      name: tileName(tile),
      cost: scalarTileCost(tile),
      matrices: 'none',
      lower: (problem) => tileMatmul(problem, tile),
    }),
  );

const bySize = (one: SubgroupMatrixConfig, other: SubgroupMatrixConfig): number =>
  other.M - one.M || other.N - one.N || other.K - one.K;

/** In one order, whichever the driver lists its matrices in: the largest first, which are taken where others are as fast. */
const matrixKernels = (target: Target): Tiled[] =>
  [...target.subgroupMatrices]
    .sort(bySize)
    .flatMap((config) => matrixTiles(config, target.subgroupSize ?? 1))
    .filter((tile) => matrixTileFits(tile, target))
    .map((tile) => ({
      name: matrixTileName(tile),
      cost: matrixTileCost(tile, target.subgroupSize!),
      matrices: `${tile.config.M}x${tile.config.N}x${tile.config.K}`,
      lower: (problem) => matrixMatmul(problem, tile),
    }));

interface RankedVariant extends MatmulVariant, Ranked {}

/** With k whole, and divided as the model has it where that is possible. */
function waysOf({ name, cost, matrices, lower }: Tiled, size: ProductSize, problem: MatmulProblem): RankedVariant[] {
  const alike = { matrices, tile: `${cost.rows}x${cost.columns}` };
  const whole = { ...alike, name, seconds: expectedSeconds(size, cost, 1), lower: () => [lower(problem)] };
  const ranges = bestRanges(size, cost);
  if (ranges === undefined) return [whole];
  const divided = {
    ...alike,
    name: `${name}, k in ${ranges}`,
    seconds: expectedSeconds(size, cost, ranges),
    lower: () => splitMatmul(problem, ranges, cost.depth, lower),
  };
  return [whole, divided];
}

const WORTH_MEASURING = 3;

/** The best few by the model, then the others; products of f16 stay with the matrices where there are any. The plain kernel is the last. */
function gpuVariants(problem: MatmulProblem): Found {
  const { a, b, dims, target } = problem;
  const operands = isWindowed(problem) ? sizeOf(a.tensor.shape) + sizeOf(b.tensor.shape) : undefined;
  const size = { ...dims, dtype: a.tensor.dtype, operands };
  const ways = (tiles: readonly Tiled[]): RankedVariant[] => tiles.flatMap((tiled) => waysOf(tiled, size, problem));
  const scalar = ways(scalarTiles(target));
  const matrices = size.dtype === 'f16' ? ways(matrixKernels(target)) : [];
  const preferred = matrices.length > 0 ? matrices : scalar;
  const few = bestFew(preferred, WORTH_MEASURING);
  const others = [...matrices, ...scalar].filter((way) => !few.includes(way));
  const naive = { name: NAIVE, lower: () => [naiveMatmul(problem)] };
  return {
    variants: [...few, ...others.sort((one, other) => one.seconds - other.seconds), naive],
    worthwhile: few.length,
  };
}
