/** What a matmul kernel is given: the sizes of the product, its operands, and the epilogue of the result. */
import type { Target } from '../../base/target';
import type { Program, Scratch } from '../../graph/op';
import type { Operand } from './operand';

export interface MatmulDims {
  readonly batch: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Elements between batches; 0 where one matrix serves all. */
  readonly strideA: number;
  readonly strideB: number;
}

/** A product whose k is divided into ranges: range i goes to `sums[i]` of [ranges, batch, M, N], not to the epilogue. */
export interface PartialSums {
  readonly sums: Scratch;
  readonly ranges: number;
  /** k per range; the last may be shorter. */
  readonly length: number;
}

export interface MatmulProblem {
  readonly dims: MatmulDims;
  readonly a: Operand;
  readonly b: Operand;
  readonly epilogue: Program;
  readonly target: Target;
  readonly partial?: PartialSums;
}
