/**
 * The kernels that can compute a product, by name; the tuner finds the fastest (see `tuner.ts`). On a GPU the choice is one of products of
 * about the same size, and of kernels that sum in different orders. On a CPU adapter it is one of the processor, for all large products and for
 * all of a short k: taller tiles read B less often, and a resident B only once, but their code may not fit where the processor keeps it. There,
 * every kernel sums over k in the same order, so that results have the same bits whatever is chosen.
 */
import type { SubgroupMatrixConfig, Target } from '../../base/target';
import { roundUp } from '../../base/whole-numbers';
import type { Kernel, Spec, Variants } from '../../graph/op';
import { broadcastMatmul } from './broadcast';
import { naiveMatmul } from './naive';
import type { MatmulProblem } from './problem';
import { registerMatmul } from './register';
import { residentFits, residentMatmul } from './resident';
import { splitMatmul } from './split';
import {
  type MatrixTile,
  matrixMatmul,
  matrixTileColumns,
  matrixTileFits,
  matrixTileName,
  matrixTileRows,
} from './subgroup-matrix';
import { type Tile, tileBytes, tileInvocations, tileMatmul, tileName } from './tile';

interface MatmulVariant {
  readonly name: string;
  readonly lower: () => Kernel[];
}

/** Kernels that fit the problem and its target, the default first. */
function matmulVariants(problem: MatmulProblem): MatmulVariant[] {
  return problem.target.family === 'cpu' ? cpuVariants(problem) : [...gpuVariants(problem), naive(problem)];
}

/** The choice that there is for a product, for the tuner. */
export function matmulChoice(problem: MatmulProblem): Variants {
  const names = matmulVariants(problem).map(({ name }) => name);
  const key = matmulKey(problem);
  return problem.target.family === 'cpu'
    ? { key, names, reference: names[0]!, samples: residentFits(problem) ? SHORT_SAMPLES : LARGE_SAMPLES }
    : { key, names, reference: NAIVE };
}

/** What products share a measurement: on a GPU layout, type, and sizes rounded up to two binary digits; on a CPU adapter all of a kind. */
function matmulKey(problem: MatmulProblem): string {
  const { a, b, target } = problem;
  const { batch, M, N, K } = problem.dims;
  if (target.family === 'cpu') return residentFits(problem) ? 'matmul of a short k' : 'large matmul';
  const rounded = [batch, M, N, K].map((size) => {
    const unit = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(size, 1))) - 1);
    return roundUp(size, unit);
  });
  return `matmul ${a.alongK ? 'N' : 'T'}${b.alongK ? 'T' : 'N'} ${a.tensor.dtype} ${rounded.join('x')}`;
}

/** Kernels of the variant that the target's tuning names, or of the default. */
export function lowerMatmul(problem: MatmulProblem): Kernel[] {
  const variants = matmulVariants(problem);
  const name = problem.target.tuned[matmulKey(problem)];
  return (variants.find((variant) => variant.name === name) ?? variants[0]!).lower();
}

const NAIVE = 'naive';
const RESIDENT = 'resident';

const naive = (problem: MatmulProblem): MatmulVariant => ({ name: NAIVE, lower: () => [naiveMatmul(problem)] });

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

/** Matrix tiles of 2 x 2 subgroups, the larger one first. */
const matrixTiles = (config: SubgroupMatrixConfig): MatrixTile[] =>
  [4, 2, 1].map((blocks) => ({
    config,
    subgroupRows: 2,
    subgroupColumns: 2,
    blockRows: blocks,
    blockColumns: blocks,
    depth: Math.max(32, config.K),
  }));

// A GPU wants several workgroups for each of its processors; below this many, k is divided.
const WANTED_WORKGROUPS = 256;
const MIN_RANGE = 256;

interface Candidate {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly lower: (problem: MatmulProblem) => Kernel;
}

const tileCandidates = ({ maxWorkgroupInvocations, maxWorkgroupBytes }: Target): Candidate[] =>
  TILES.filter((tile) => tileInvocations(tile) <= maxWorkgroupInvocations && tileBytes(tile) <= maxWorkgroupBytes).map(
    (tile) => ({ ...tile, name: tileName(tile), lower: (problem) => tileMatmul(problem, tile) }),
  );

const matrixCandidates = (target: Target): Candidate[] =>
  target.subgroupMatrices
    .flatMap(matrixTiles)
    .filter((tile) => matrixTileFits(tile, target))
    .map((tile) => ({
      name: matrixTileName(tile),
      rows: matrixTileRows(tile),
      columns: matrixTileColumns(tile),
      depth: tile.depth,
      lower: (problem) => matrixMatmul(problem, tile),
    }));

function gpuVariants(problem: MatmulProblem): MatmulVariant[] {
  const { a, dims, target } = problem;
  const fits = ({ rows, columns }: Candidate): boolean => rows < 2 * dims.M && columns < 2 * dims.N;
  const tiles = tileCandidates(target);
  const matrices = a.tensor.dtype === 'f16' ? matrixCandidates(target) : [];
  const groupsOf = ({ rows, columns }: Candidate): number =>
    dims.batch * Math.ceil(dims.M / rows) * Math.ceil(dims.N / columns);
  // By default the largest tile of which there are enough. Tiles that would be mostly empty are not worth measuring.
  const preferred = matrices.length > 0 ? matrices : tiles;
  const first =
    preferred.find((candidate) => fits(candidate) && groupsOf(candidate) >= WANTED_WORKGROUPS / 2) ?? preferred.at(-1)!;
  const others = [...matrices, ...tiles].filter((candidate) => candidate !== first && fits(candidate));
  return [first, ...others].flatMap((candidate) => {
    const { name, depth, lower } = candidate;
    const whole = { name, lower: () => [lower(problem)] };
    const ranges = Math.min(Math.ceil(WANTED_WORKGROUPS / groupsOf(candidate)), Math.floor(dims.K / MIN_RANGE));
    if (ranges < 2) return [whole];
    return [{ name: `${name}, k divided`, lower: () => splitMatmul(problem, ranges, depth, lower) }, whole];
  });
}
