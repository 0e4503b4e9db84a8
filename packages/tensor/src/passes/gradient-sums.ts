/**
 * Adds up the contributions to the gradient of each tensor. Contributions of whole tensors are added as they come. A slice along one axis contributes to its
 * stretch only: such pieces are kept apart and put side by side at the end, so that a tensor that is used in slices gets its gradient without padding and a
 * full-size addition per slice (and a store of it writes row pieces in place, see `ops/assign.ts`).
 */
import type { Tensor } from '../graph/op';
import { concat } from '../ops/concat';
import { add } from '../ops/elementwise';
import { type Piece, pieceOf } from '../ops/slice';

interface Sum {
  readonly tensor: Tensor;
  whole: Tensor | undefined;
  /** Gradients of disjoint or overlapping stretches of one axis; one per distinct stretch. */
  pieces: Piece[];
}

export interface GradientSums {
  add(tensor: Tensor, gradient: Tensor): void;
  /** The sum of all contributions so far, if there are any. */
  of(tensor: Tensor): Tensor | undefined;
}

export function gradientSums(): GradientSums {
  const sums = new Map<Tensor, Sum>();
  return {
    add(tensor, gradient) {
      const sum = sums.get(tensor) ?? { tensor, whole: undefined, pieces: [] };
      sums.set(tensor, sum);
      const piece = pieceOf(gradient);
      if (piece && piece.axis === (sum.pieces[0] ?? piece).axis) addPiece(sum, piece);
      else sum.whole = plus(sum.whole, gradient);
    },
    of(tensor) {
      const sum = sums.get(tensor);
      if (!sum) return undefined;
      const sorted = [...sum.pieces].sort((a, b) => a.first - b.first);
      const tiles =
        sorted.length > 0 &&
        sorted.every((piece, i) => piece.first === (sorted[i - 1]?.end ?? 0)) &&
        sorted.at(-1)!.end === tensor.shape[sorted[0]!.axis];
      if (tiles)
        sum.whole = plus(
          sum.whole,
          concat(
            sorted.map(({ part }) => part),
            sorted[0]!.axis,
          ),
        );
      else for (const { padded } of sorted) sum.whole = plus(sum.whole, padded());
      sum.pieces = [];
      return sum.whole;
    },
  };
}

const plus = (a: Tensor | undefined, b: Tensor): Tensor => (a ? add(a, b) : b);

function addPiece(sum: Sum, piece: Piece): void {
  const at = sum.pieces.findIndex(({ first, end }) => first === piece.first && end === piece.end);
  if (at < 0) sum.pieces.push(piece);
  else sum.pieces[at] = piece.plus(sum.pieces[at]!.part);
}
