/** Tiles of products on subgroup matrices: their forms, names, and where everything lies in workgroup memory. */
import type { SubgroupMatrixConfig, Target } from '../../base/target';

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
  return `matrix ${M}x${N}x${K} ${matrixTileRows(tile)}x${matrixTileColumns(tile)}x${tile.depth} by ${subgroupsOf(tile)}`;
};

/** Halves in a `vec4<u32>`, the unit in which they move: 16 bytes. */
export const UNIT = 8;

/** Units from one row of a tile to the next: one more than its own, so that rows start in different banks. */
export const pitchOf = (rowLength: number): number => rowLength / UNIT + 1;

/** Units of a tile of `size` rows or columns of C, in the layout of its matrix. */
export const tileUnits = (size: number, depth: number, alongK: boolean): number =>
  alongK ? size * pitchOf(depth) : depth * pitchOf(size);

/** Two tiles of each operand: while one is multiplied, the next is written. */
export const BUFFERS = 2;

/** Units from one row of sums to the next, of the part of C that a subgroup holds. */
export const sumsPitch = ({ config, blockColumns }: MatrixTile): number => (blockColumns * config.N) / 4 + 1;

const largestTileUnits = (tile: MatrixTile): number =>
  [matrixTileRows(tile), matrixTileColumns(tile)].reduce(
    (sum, size) => sum + BUFFERS * Math.max(tileUnits(size, tile.depth, true), tileUnits(size, tile.depth, false)),
    0,
  );

const unitsOfRound = (tile: MatrixTile, rows: number): number =>
  subgroupsOf(tile) * rows * tile.config.M * sumsPitch(tile);

/** Rows of matrices that leave in one round: as many as the tiles leave room for, when they are no longer needed. */
export function rowsOfRound(tile: MatrixTile): number {
  const fitting = [tile.blockRows, tile.blockRows / 2].filter(
    (rows) => Number.isInteger(rows) && unitsOfRound(tile, rows) <= largestTileUnits(tile),
  );
  return fitting[0] ?? 1;
}

/** Bytes of workgroup memory, whatever the layouts. */
export const matrixTileBytes = (tile: MatrixTile): number =>
  16 * Math.max(largestTileUnits(tile), unitsOfRound(tile, rowsOfRound(tile)));

/** Whether the adapter can run the tile: it has f16 and subgroups of one known size, and the tile is within its limits. */
export function matrixTileFits(tile: MatrixTile, target: Target): boolean {
  const invocations = subgroupsOf(tile) * (target.subgroupSize ?? Number.POSITIVE_INFINITY);
  return (
    target.f16 &&
    tile.depth % tile.config.K === 0 &&
    matrixTileBytes(tile) <= target.maxWorkgroupBytes &&
    invocations <= target.maxWorkgroupInvocations
  );
}

/** Sums that an invocation holds at most, and rows of C of a subgroup of 32 that holds so many in a square. */
const MOST_SUMS = 128;
const LARGEST = 64;

/** Forms in shares of the largest square that a subgroup holds: its rows and columns, and how many subgroups there are along them. */
const FORMS = [
  { rows: 1, columns: 1, subgroupRows: 2, subgroupColumns: 2, deep: 1 },
  { rows: 1, columns: 0.5, subgroupRows: 2, subgroupColumns: 4, deep: 1 },
  { rows: 1, columns: 1, subgroupRows: 4, subgroupColumns: 2, deep: 0.5 },
  { rows: 0.5, columns: 1, subgroupRows: 2, subgroupColumns: 2, deep: 1 },
  { rows: 0.5, columns: 0.5, subgroupRows: 2, subgroupColumns: 2, deep: 1 },
  { rows: 0.5, columns: 0.5, subgroupRows: 2, subgroupColumns: 2, deep: 2 },
  { rows: 0.25, columns: 0.25, subgroupRows: 2, subgroupColumns: 2, deep: 1 },
] as const;

/** k of a step. */
const DEPTH = 32;

/**
 * The tiles to choose among: for subgroups of 32, 128x128 by four and by eight subgroups, 256x128 by eight, 64x128, 64x64 in steps of 32 and of 64, and 32x32.
 * Smaller subgroups hold smaller squares.
 */
export function matrixTiles(config: SubgroupMatrixConfig, lanes: number): MatrixTile[] {
  const square = LARGEST ** 2 <= MOST_SUMS * lanes ? LARGEST : LARGEST / 2;
  return FORMS.map(({ rows, columns, deep, ...subgroups }) => ({
    config,
    ...subgroups,
    blockRows: (square * rows) / config.M,
    blockColumns: (square * columns) / config.N,
    depth: Math.max(DEPTH * deep, config.K),
  })).filter(({ blockRows, blockColumns }) => Number.isInteger(blockRows) && Number.isInteger(blockColumns));
}
