/**
 * KoLeo, the regulariser of Sablayrolles et al. 2019 after Kozachenko & Leonenko's entropy estimator: rows are pushed away from their nearest neighbour, so that a
 * batch spreads over the sphere. With rows scaled to length one and nn(i) the row of largest dot product with row i,
 *
 *   loss = -mean_i log(|| x_i - x_nn(i) + 1e-8 || + 1e-8)
 *
 * (the first epsilon is added to every component). The gradient reaches both x_i and its neighbour, not the choice of the neighbour. In f32 throughout:
 * in f16 the epsilons vanish and two equal rows give infinity.
 */
import {
  add,
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
  const apart = add(sub(unit, gatherRows(unit, nearestNeighbours(unit))), EPSILON);
  const distance = sqrt(sum(mul(apart, apart), [1]));
  return neg(mean(log(add(distance, EPSILON))));
}
