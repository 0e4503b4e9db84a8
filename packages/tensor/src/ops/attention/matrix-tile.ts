/** The sizes by which attention on subgroup matrices divides its work (`matrix-kernel.ts`), chosen to fit a problem and an adapter. */
import type { SubgroupMatrixConfig, Target } from '../../base/target';
import type { AttentionDims } from './problem';

export interface AttentionTile extends SubgroupMatrixConfig {
  readonly lanes: number;
  /** Of a workgroup; each has M rows. */
  readonly subgroups: number;
  /** Columns of a step. */
  readonly columns: number;
}

/** What a kernel holds for each of its scores: matrices of f32, and of f16. */
export interface AttentionAreas {
  readonly scores: number;
  readonly weights: number;
}

// Rows start 16 bytes further than they would, so that those of a matrix lie in different banks and stay aligned.
const PADDING_BYTES = 16;

/** Elements of 16 bytes from one row to the next. */
export const tokenPitch = (d: number): number => (2 * d + PADDING_BYTES) / 16;
export const scorePitch = ({ columns }: AttentionTile): number => (4 * columns + PADDING_BYTES) / 16;
export const weightPitch = ({ columns }: AttentionTile): number => (2 * columns + PADDING_BYTES) / 16;

export const tileRows = ({ subgroups, M }: AttentionTile): number => subgroups * M;
/** Rows of tokens in workgroup memory: two tensors, twice. */
export const stagedRows = ({ columns }: AttentionTile): number => 4 * columns;
/** Columns that are computed or left out together: a whole number of matrices, whether they count as N or as K. */
export const columnUnit = ({ N, K }: SubgroupMatrixConfig): number => Math.max(N, K);
/** Columns of a row that one lane looks at. */
export const laneColumns = ({ columns, M, lanes }: AttentionTile): number => (columns * M) / lanes;

function workgroupBytes(tile: AttentionTile, d: number, { scores, weights }: AttentionAreas): number {
  const perRow = scores * scorePitch(tile) + weights * weightPitch(tile);
  // and two f32 per column, twice, with a word per subgroup
  return 16 * (stagedRows(tile) * tokenPitch(d) + tileRows(tile) * perRow + tile.columns) + 4 * tile.subgroups;
}

/** Lanes read whole rows' shares of 16 bytes, and the rows' own tokens pass through the memory of the columns'. */
function fits(tile: AttentionTile, d: number, areas: AttentionAreas, target: Target): boolean {
  const { M, N, K, lanes, subgroups, columns } = tile;
  return (
    [M, N, K].every((size) => size % 8 === 0) &&
    d % N === 0 &&
    d % K === 0 &&
    lanes % M === 0 &&
    columns % columnUnit(tile) === 0 &&
    laneColumns(tile) % 8 === 0 &&
    tileRows(tile) <= stagedRows(tile) &&
    subgroups * lanes <= target.maxWorkgroupInvocations &&
    workgroupBytes(tile, d, areas) <= target.maxWorkgroupBytes
  );
}

const MOST_SUBGROUPS = [4, 2, 1];
/** Sixteen where that is all there are. */
const columnsFor = (N: number): number[] => (N > 16 ? [32, 16] : [16]);

/** So many subgroups that no workgroup has more idle ones than another needs: five blocks of rows are three and two, not four and one. */
function evenSubgroups(N: number, M: number, most: number): number {
  const blocks = Math.ceil(N / M);
  return Math.ceil(blocks / Math.ceil(blocks / most));
}

/** The tile that fits with the largest matrices, then the most rows, then the most columns that are not all padding; undefined where none does. */
export function attentionTile(
  { N, d }: AttentionDims,
  target: Target,
  areas: AttentionAreas,
): AttentionTile | undefined {
  const { subgroupMatrices, subgroupSize: lanes } = target;
  if (lanes === undefined) return undefined;
  const tiles = subgroupMatrices.flatMap((config) =>
    MOST_SUBGROUPS.flatMap((most) =>
      columnsFor(N).map((columns) => ({
        ...config,
        lanes,
        subgroups: evenSubgroups(N, config.M, most),
        columns,
      })),
    ),
  );
  return tiles.find((tile) => fits(tile, d, areas, target));
}
