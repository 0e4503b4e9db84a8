/**
 * KoLeo, the regulariser of Sablayrolles et al. 2019 after Kozachenko & Leonenko's entropy estimator: rows are pushed away from their nearest neighbour, so that a
 * batch spreads over the sphere. With rows scaled to length one and nn(i) the row of largest dot product with row i,
 *
 *   loss = -mean_i log(|| x_i - x_nn(i) + 1e-8 || + 1e-8)
 *
 * (the first epsilon is added to every component). The gradient reaches both x_i and its neighbour, not the choice of the neighbour. In f32 throughout:
 * in f16 the epsilons vanish and two equal rows give infinity. Where rows are spread over ranks, each rank takes the terms of its own rows, with neighbours among those of all.
 */
import {
  add,
  allGather,
  argmax,
  cast,
  constant,
  gatherRows,
  l2Normalise,
  log,
  matmul,
  mean,
  mul,
  neg,
  optionProblem,
  select,
  sqrt,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from '@franca/tensor';
import { LossError } from './errors';

const EPSILON = 1e-8;

/** Row of the largest dot product with each row of unit vectors [B, D], itself excepted: u32 [B]; the first at a tie. */
export function nearestNeighbours(unit: Tensor): Tensor {
  const B = unit.shape[0]!;
  const diagonal = constant(
    Float64Array.from({ length: B * B }, (_, i) => Number(i % (B + 1) === 0)),
    [B, B],
    'u32',
  );
  const rows = stopGradient(unit);
  return argmax(select(diagonal, -1, matmul(rows, rows, { transposeB: true })));
}

/** KoLeo of rows [B, D], B at least 2 -> scalar. Throws `LossError` (`shape`). */
export function koleoLoss(x: Tensor): Tensor {
  if (x.shape.length !== 2 || x.shape[0]! < 2)
    throw new LossError(
      'shape',
      `rows of shape [${x.shape.join(', ')}]: expected [B, D] with at least two rows, each needs a neighbour`,
    );
  const unit = l2Normalise(cast(x, 'f32'), EPSILON);
  return neg(mean(logDistances(unit, gatherRows(unit, nearestNeighbours(unit)))));
}

/** log(|| x - y + 1e-8 || + 1e-8) of each row [B] of [B, D]. */
function logDistances(x: Tensor, y: Tensor): Tensor {
  const apart = add(sub(x, y), EPSILON);
  return log(add(sqrt(sum(mul(apart, apart), [1])), EPSILON));
}

export interface KoleoRanks {
  /** R, the number of ranks, each with as many rows. */
  readonly size: number;
  /** Whether row `other` of the rows of all ranks [R b], one rank after the other, may be the neighbour of this rank's row `row`: it itself may not. */
  readonly mayBeNeighbours: (row: number, other: number) => boolean;
}

const RANKS: Record<keyof KoleoRanks, true> = { size: true, mayBeNeighbours: true };

/**
 * KoLeo of rows that are spread over ranks, and may be of several batches: the terms [b] of this rank's rows [b, D]. The mean over rows and ranks is the loss; the
 * gradient reaches neighbours on other ranks. One message forward, one backward. Throws `LossError` (`shape`, also for a row without any neighbour, and `options`).
 */
export function koleoOverRanks(x: Tensor, ranks: KoleoRanks): Tensor {
  const problem = optionProblem(ranks, RANKS);
  if (problem) throw new LossError('options', `koleoOverRanks: ${problem}`);
  const { size, mayBeNeighbours } = ranks;
  if (x.shape.length !== 2) throw new LossError('shape', `rows of shape [${x.shape.join(', ')}]: expected [b, D]`);
  const b = x.shape[0]!;
  const candidates = Float64Array.from({ length: b * size * b }, (_, i) =>
    Number(mayBeNeighbours(Math.floor(i / (size * b)), i % (size * b))),
  );
  for (let row = 0; row < b; row++)
    if (!candidates.subarray(row * size * b, (row + 1) * size * b).includes(1))
      throw new LossError('shape', `row ${row} has no neighbour among the ${size * b} rows of ${size} ranks`);
  const unit = l2Normalise(cast(x, 'f32'), EPSILON);
  const all = allGather(unit, size);
  const likeness = matmul(stopGradient(unit), stopGradient(all), { transposeB: true });
  // less than any product of unit vectors
  const nearest = argmax(select(constant(candidates, [b, size * b], 'u32'), likeness, -2));
  return neg(logDistances(unit, gatherRows(all, nearest)));
}
