/** What the parts of an attention kernel on subgroup matrices share. Matrix types read `<element, columns, rows>`. */
import type { Target } from '../../base/target';
import { range } from '../../base/whole-numbers';
import type { KernelBuilder } from '../../kernels/kernel-builder';
import type { AttentionAreas, AttentionTile } from './matrix-tile';
import type { AttentionDims, AttentionLabel } from './problem';
import type { TokenScope, Tokens } from './tokens';

export interface MatrixKernel {
  readonly label: AttentionLabel;
  readonly dims: AttentionDims;
  readonly target: Target;
  readonly tile: AttentionTile;
  readonly areas: AttentionAreas;
  /** Products over all pairs of tokens that the kernel computes. */
  readonly products: number;
  /** The tokens of the rows, and those of the columns: scores of area i are the i-th rows times the i-th columns. */
  readonly rows: readonly Tokens[];
  readonly columns: readonly [Tokens, Tokens];
  /** Names of the sums: as many rows as the tile has, and a head's columns. */
  readonly sums: readonly string[];
}

export interface MatrixScope extends Pick<MatrixKernel, 'dims' | 'tile' | 'areas' | 'columns'> {
  readonly k: KernelBuilder;
  readonly tokens: TokenScope;
  /** WGSL of N. */
  readonly N: string;
  /** Numbers of the vec4 of scores that a lane looks at. */
  readonly vectors: readonly number[];
}

export const leftType = ({ M, K }: AttentionTile): string => `subgroup_matrix_left<f16, ${K}, ${M}>`;
export const rightType = ({ N, K }: AttentionTile): string => `subgroup_matrix_right<f16, ${N}, ${K}>`;
export const resultType = ({ M, N }: AttentionTile): string => `subgroup_matrix_result<f32, ${N}, ${M}>`;

/** Numbers of the matrices of a row of sums. */
export const matricesOf = ({ tile, dims }: MatrixScope): number[] => range(dims.d / tile.N);
