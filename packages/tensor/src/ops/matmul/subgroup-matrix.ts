/**
 * Matmul on subgroup matrices (tensor cores): f16 operands, f32 sums. A workgroup copies tiles of A and B to workgroup memory as f16; each
 * of its subgroups then multiplies matrices of the size the adapter offers and keeps a grid of their sums. Results leave through workgroup
 * memory, one matrix of each subgroup at a time, so that the epilogue sees them by row and column. Matrix types read
 * `<element, columns, rows>`.
 */
import type { SubgroupMatrixConfig, Target } from '../../base/target';
import { range } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import type { Operand } from './operand';
import type { MatmulProblem } from './problem';
import { tiledKernel } from './tiled-kernel';

export interface MatrixTile {
  readonly config: SubgroupMatrixConfig;
  /** Subgroups of a workgroup along rows and columns. */
  readonly subgroupRows: number;
  readonly subgroupColumns: number;
  /** Matrices of C per subgroup along rows and columns. */
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly depth: number;
}

export const matrixTileRows = ({ config, subgroupRows, blockRows }: MatrixTile): number =>
  subgroupRows * blockRows * config.M;
export const matrixTileColumns = ({ config, subgroupColumns, blockColumns }: MatrixTile): number =>
  subgroupColumns * blockColumns * config.N;
export const subgroupsOf = ({ subgroupRows, subgroupColumns }: MatrixTile): number => subgroupRows * subgroupColumns;

export const matrixTileName = (tile: MatrixTile): string => {
  const { M, N, K } = tile.config;
  return `matrix ${M}x${N}x${K} ${matrixTileRows(tile)}x${matrixTileColumns(tile)}x${tile.depth}`;
};

// Half floats between rows of a tile beyond its own: rows stay aligned to 16 bytes and start in different banks.
const PADDING = 8;

/** Whether the adapter can run the tile: it has f16 and subgroups of one known size, and the tile is within its limits. */
export function matrixTileFits(tile: MatrixTile, target: Target): boolean {
  const { config, depth } = tile;
  const [rows, columns] = [matrixTileRows(tile), matrixTileColumns(tile)];
  const halves = rows * (depth + PADDING) + columns * (depth + PADDING);
  const bytes =
    2 * Math.max(halves, depth * (rows + columns + 2 * PADDING)) + 4 * subgroupsOf(tile) * config.M * config.N;
  const invocations = subgroupsOf(tile) * (target.subgroupSize ?? Number.POSITIVE_INFINITY);
  return (
    target.f16 &&
    depth % config.K === 0 &&
    bytes <= target.maxWorkgroupBytes &&
    invocations <= target.maxWorkgroupInvocations
  );
}

export function matrixMatmul(problem: MatmulProblem, tile: MatrixTile): Kernel {
  const { a, b, target } = problem;
  const { config, subgroupColumns, blockRows, blockColumns, depth } = tile;
  const { M, N, K } = config;
  const lanes = target.subgroupSize!;
  const invocations = subgroupsOf(tile) * lanes;
  const tileA = halfTile(a, matrixTileRows(tile), depth, invocations);
  const tileB = halfTile(b, matrixTileColumns(tile), depth, invocations);
  const left = `subgroup_matrix_left<f16, ${K}, ${M}>`;
  const right = `subgroup_matrix_right<f16, ${N}, ${K}>`;
  const [majorA, majorB] = [a.alongK ? 'row_major' : 'col_major', b.alongK ? 'col_major' : 'row_major'];
  const multiply = range(depth / K).flatMap((step) => [
    ...range(blockRows).map(
      (i) =>
        `let a${step}_${i} = subgroupMatrixLoad<${left}, ${majorA}>(&tileA, ${tileA.offset(`sgRow + ${i * M}u`, step * K)}, ${tileA.pitch}u);`,
    ),
    ...range(blockColumns).flatMap((j) => [
      `let b${step}_${j} = subgroupMatrixLoad<${right}, ${majorB}>(&tileB, ${tileB.offset(`sgColumn + ${j * N}u`, step * K)}, ${tileB.pitch}u);`,
      ...range(blockRows).map(
        (i) => `c${i}_${j} = subgroupMatrixMultiplyAccumulate(a${step}_${i}, b${step}_${j}, c${i}_${j});`,
      ),
    ]),
  ]);
  const blocks = range(blockRows).flatMap((i) => range(blockColumns).map((j) => [i, j] as const));
  const results = M * N;
  const body = `
  let sgRow = sgId / ${subgroupColumns}u * ${blockRows * M}u;
  let sgColumn = sgId % ${subgroupColumns}u * ${blockColumns * N}u;
  ${blocks.map(([i, j]) => `var c${i}_${j} = subgroup_matrix_result<f32, ${N}, ${M}>();`).join('\n  ')}
  for (var step = firstK; step < endK; step += ${depth}u) {
    ${[...tileA.copy, ...tileB.copy].join('\n    ')}
    workgroupBarrier();
    ${multiply.join('\n    ')}
    workgroupBarrier();
  }
${blocks
  .map(
    ([i, j]) => `  subgroupMatrixStore<row_major>(&results, sgId * ${results}u, c${i}_${j}, ${N}u);
  workgroupBarrier();
  for (var unit = sgLane; unit < ${results / 4}u; unit += ${lanes}u) {
    let at = sgId * ${results}u + unit * 4u;
    store(outer, tileRow + sgRow + ${i * M}u + unit / ${N / 4}u, tileColumn + sgColumn + ${j * N}u + unit % ${N / 4}u * 4u,
      vec4<f32>(results[at], results[at + 1u], results[at + 2u], results[at + 3u]));
  }
  workgroupBarrier();`,
  )
  .join('\n')}`;
  const tiling = {
    rows: matrixTileRows(tile),
    columns: matrixTileColumns(tile),
    workgroupSize: invocations,
    depth,
    loads: 'f16' as const,
    kind: 'matrix product' as const,
  };
  return tiledKernel(problem, tiling, body, [
    tileA.declaration,
    tileB.declaration,
    `var<workgroup> results: array<f32, ${subgroupsOf(tile) * results}>;`,
  ]);
}

/** A tile of an operand in workgroup memory, as f16 in the operand's own layout. */
function halfTile(
  { name, alongK }: Operand,
  size: number,
  depth: number,
  invocations: number,
): { declaration: string; copy: string[]; pitch: number; offset: (free: string, k: number) => string } {
  const rowLength = alongK ? depth : size;
  const pitch = rowLength + PADDING;
  const units = (size * depth) / 4;
  const origin = name === 'A' ? 'tileRow' : 'tileColumn';
  const [free, k] = alongK ? ['outerIndex', 'innerIndex'] : ['innerIndex', 'outerIndex'];
  return {
    declaration: `var<workgroup> tile${name}: array<f16, ${(alongK ? size : depth) * pitch}>;`,
    copy: [
      `for (var unit = lane; unit < ${units}u; unit += ${invocations}u) {`,
      `  let outerIndex = unit / ${rowLength / 4}u; let innerIndex = unit % ${rowLength / 4}u * 4u;`,
      `  let values = load${name}(z, ${origin} + ${free}, step + ${k});`,
      `  let at = outerIndex * ${pitch}u + innerIndex;`,
      `  ${range(4)
        .map((j) => `tile${name}[at + ${j}u] = values[${j}];`)
        .join(' ')}`,
      '}',
    ],
    pitch,
    offset: (at, step) => (alongK ? `(${at}) * ${pitch}u + ${step}u` : `${step * pitch}u + ${at}`),
  };
}
