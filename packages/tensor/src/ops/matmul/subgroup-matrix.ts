/**
 * Matmul on subgroup matrices (tensor cores): f16 operands, f32 sums. A workgroup copies tiles of A and B to workgroup memory; each of its subgroups
 * multiplies matrices of the size the adapter offers and keeps a grid of their sums. Everything moves 16 bytes at a time (see `half-operand.ts`), and
 * there are two tiles of each operand: the loads of step n + 1 are on their way to registers while step n is multiplied, then they go to the other
 * tile, and one barrier ends the step. Results leave through the memory that the tiles no longer need, in a round or two, so that the epilogue sees
 * them by row and column; sums of a range of k have no epilogue, and go where they belong straight from the matrices. Tiles are computed in bands of
 * eight rows, whose operands stay in the cache. Matrix types read `<element, columns, rows>`.
 */
import { range } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import { elementType, type KernelBuilder } from '../../kernels/kernel-builder';
import { type HalfOperand, halfOperand } from './half-operand';
import {
  BUFFERS,
  type MatrixTile,
  matrixTileColumns,
  matrixTileRows,
  rowsOfRound,
  subgroupsOf,
  sumsPitch,
} from './matrix-tile';
import type { MatmulProblem } from './problem';
import { tileFrame } from './tiled-kernel';

const BAND_ROWS = 8;

export function matrixMatmul(problem: MatmulProblem, tile: MatrixTile): Kernel {
  const { a, b, dims, target } = problem;
  const { config, subgroupColumns, blockRows, blockColumns, depth } = tile;
  const [rows, columns] = [matrixTileRows(tile), matrixTileColumns(tile)];
  const invocations = subgroupsOf(tile) * target.subgroupSize!;
  const operands: HalfOperand[] = [];
  const tiling = {
    rows,
    columns,
    workgroupSize: invocations,
    depth,
    kind: 'matrix product',
    bandRows: BAND_ROWS,
  } as const;
  const frame = tileFrame(problem, tiling, (k) => {
    // matrices are of halves, which no binding says where all of them are units
    k.enable('f16');
    operands.push(halfOperand(k, a, rows, depth, invocations), halfOperand(k, b, columns, depth, invocations));
    return operands.map(({ functions }) => functions);
  });
  const [A, B] = operands as [HalfOperand, HalfOperand];
  const units = A.units + B.units;
  const both = (text: (operand: HalfOperand) => string[]): string => [...text(A), ...text(B)].join('\n    ');
  const keep = (buffer: string): string => [...A.keep(buffer), ...B.keep(`${buffer} + ${A.units}u`)].join('\n    ');
  const fetchNext =
    dims.K % depth === 0
      ? `if (next < endK) { ${both(({ fetch }) => fetch('next', false))} }`
      : `if (next + ${depth}u <= endK) { ${both(({ fetch }) => fetch('next', false))} }
    else if (next < endK) { ${both(({ fetch }) => fetch('next', true))} }`;
  const body = `
  let sgRow = sgId / ${subgroupColumns}u * ${blockRows * config.M}u;
  let sgColumn = sgId % ${subgroupColumns}u * ${blockColumns * config.N}u;
  ${both(({ begin }) => begin)}
  ${sumsOf(tile)
    .map((sum) => `var ${sum} = subgroup_matrix_result<f32, ${config.N}, ${config.M}>();`)
    .join('\n  ')}
  if (firstK < endK) { ${both(({ fetch }) => fetch('firstK', dims.K % depth !== 0))} }
  ${keep('0u')}
  workgroupBarrier();
  var buffer = 0u;
  for (var step = firstK; step < endK; step += ${depth}u) {
    let next = step + ${depth}u;
    ${fetchNext}
    ${multiply(tile, A, B, a.alongK, b.alongK)}
    buffer = ${units}u - buffer;
    if (next < endK) { ${keep('buffer')} }
    workgroupBarrier();
  }
${results(problem, tile, frame.k)}`;
  const total = Math.max(BUFFERS * units, subgroupsOf(tile) * rowsOfRound(tile) * config.M * sumsPitch(tile));
  return frame.build(body, [`var<workgroup> tiles: array<vec4<u32>, ${total}>;`]);
}

const sumsOf = ({ blockRows, blockColumns }: MatrixTile): string[] =>
  range(blockRows).flatMap((i) => range(blockColumns).map((j) => `c${i}_${j}`));

/** A step: from both tiles of the buffer to the sums. */
function multiply(tile: MatrixTile, A: HalfOperand, B: HalfOperand, alongA: boolean, alongB: boolean): string {
  const { config, blockRows, blockColumns, depth } = tile;
  const { M, N, K } = config;
  const left = `subgroup_matrix_left<f16, ${K}, ${M}>, ${alongA ? 'row_major' : 'col_major'}`;
  const right = `subgroup_matrix_right<f16, ${N}, ${K}>, ${alongB ? 'col_major' : 'row_major'}`;
  return range(depth / K)
    .flatMap((step) => [
      ...range(blockRows).map(
        (i) =>
          `let a${step}_${i} = subgroupMatrixLoad<${left}>(&tiles, ${A.offset('buffer', `sgRow + ${i * M}u`, step * K)}, ${A.pitch}u);`,
      ),
      ...range(blockColumns).flatMap((j) => [
        `let b${step}_${j} = subgroupMatrixLoad<${right}>(&tiles, ${B.offset(`buffer + ${A.units}u`, `sgColumn + ${j * N}u`, step * K)}, ${B.pitch}u);`,
        ...range(blockRows).map(
          (i) => `c${i}_${j} = subgroupMatrixMultiplyAccumulate(a${step}_${i}, b${step}_${j}, c${i}_${j});`,
        ),
      ]),
    ])
    .join('\n    ');
}

/** Sums to the epilogue, or, of a range of k and where the tile lies inside of C, to where they are added up. */
function results({ dims: { M, N }, partial, target }: MatmulProblem, tile: MatrixTile, k: KernelBuilder): string {
  const rounds = throughTiles(tile, target.subgroupSize!);
  if (!partial || N % 4 !== 0) return rounds;
  const sums = k.write(partial.sums, elementType(partial.sums, 4));
  const [height, width] = [k.uniform(M), k.uniform(N)];
  const { config } = tile;
  const stores = sumsOf(tile).map((sum) => {
    const [i, j] = sum.slice(1).split('_').map(Number) as [number, number];
    return `subgroupMatrixStore<row_major>(&${sums}, at + ${i * config.M}u * pitch + ${(j * config.N) / 4}u, ${sum}, pitch);`;
  });
  return `  if (tileRow + ${matrixTileRows(tile)}u <= ${height} && tileColumn + ${matrixTileColumns(tile)}u <= ${width}) {
    let pitch = ${width} / 4u;
    let at = (outer * ${height} + tileRow + sgRow) * pitch + (tileColumn + sgColumn) / 4u;
    ${stores.join('\n    ')}
  } else {
${rounds}
  }`;
}

/** Each subgroup writes rows of its matrices to a part of the tiles' memory of its own, and reads them there by row and column. */
function throughTiles(tile: MatrixTile, lanes: number): string {
  const { config, blockRows, blockColumns } = tile;
  const { M, N } = config;
  const [rowsAtOnce, pitch] = [rowsOfRound(tile), sumsPitch(tile)];
  const perRow = (blockColumns * N) / 4;
  const round = (first: number): string => `${range(rowsAtOnce)
    .flatMap((i) =>
      range(blockColumns).map(
        (j) =>
          `  subgroupMatrixStore<row_major>(&tiles, own + ${i * M * pitch + (j * N) / 4}u, c${first + i}_${j}, ${pitch}u);`,
      ),
    )
    .join('\n')}
  workgroupBarrier();
  for (var unit = sgLane; unit < ${rowsAtOnce * M * perRow}u; unit += ${lanes}u) {
    let values = bitcast<vec4<f32>>(tiles[own + unit / ${perRow}u * ${pitch}u + unit % ${perRow}u]);
    store(outer, tileRow + sgRow + ${first * M}u + unit / ${perRow}u, tileColumn + sgColumn + unit % ${perRow}u * 4u, values);
  }`;
  const rounds = range(blockRows / rowsAtOnce).map((i) => round(i * rowsAtOnce));
  return `  let own = sgId * ${rowsAtOnce * M * pitch}u;
${rounds.join('\n  workgroupBarrier();\n')}`;
}
