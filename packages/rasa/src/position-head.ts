/** The position head: a bias-free linear map to two coordinates, a sigmoid, the mean squared error to the grid. */
import { add, constant, matmul, mean, mul, reshape, sigmoid, sub, type Tensor, tanh } from '@franca/tensor';
import { RasaError } from './errors';

export type Activation = 'sigmoid' | 'tanh' | 'none';

/** Coordinates of the patches of an h x w grid, row-major: (row / (h - 1), column / (w - 1)), [h w, 2]. One row or column counts as 0. */
export function gridPositions([h, w]: readonly [number, number]): Float32Array {
  if (!(h >= 1 && w >= 1)) throw new RasaError('shape', `a grid of ${h} x ${w} has no patches`);
  return Float32Array.from({ length: h * w * 2 }, (_, i) => {
    const patch = i >> 1;
    return i % 2 === 0 ? Math.floor(patch / w) / Math.max(h - 1, 1) : (patch % w) / Math.max(w - 1, 1);
  });
}

/** Coordinates as of `gridPositions`, less their mean: it is 1/2, or 0 where there is one row or column. In f64. */
export const centredPositions = ([h, w]: readonly [number, number]): Float64Array =>
  Float64Array.from(gridPositions([h, w]), (value, i) => ((i % 2 === 0 ? h : w) > 1 ? value - 0.5 : 0));

/** Error of predicting the mean position everywhere: the mean variance of the two coordinates. */
export function constantError(grid: readonly [number, number]): number {
  const positions = centredPositions(grid);
  return positions.reduce((sum, value) => sum + value ** 2, 0) / positions.length;
}

/** What the activation maps to 1/2, the middle of the grid. */
export const centreOf = (activation: Activation): number =>
  activation === 'sigmoid' ? 0 : activation === 'tanh' ? Math.atanh(0.5) : 0.5;

/** Predicted positions of tokens z [.., D] by a head W [2, D], with its bias [2] if it has one: [.., 2]. */
export function predictPositions(z: Tensor, weight: Tensor, activation: Activation = 'sigmoid', bias?: Tensor): Tensor {
  const product = matmul(z, weight, { transposeB: true });
  const linear = bias ? add(product, bias) : product;
  return activation === 'sigmoid' ? sigmoid(linear) : activation === 'tanh' ? tanh(linear) : linear;
}

/** Mean over patches and both coordinates of the squared error, of each image: [B]; z [B, N, D] on a grid of N patches. */
export function positionErrors(
  z: Tensor,
  weight: Tensor,
  grid: readonly [number, number],
  activation: Activation = 'sigmoid',
  bias?: Tensor,
): Tensor {
  const [, N] = z.shape as [number, number, number];
  if (N !== grid[0] * grid[1]) throw new RasaError('shape', `${N} patches are no grid of ${grid[0]} x ${grid[1]}`);
  const error = sub(
    predictPositions(z, weight, activation, bias),
    reshape(constant(gridPositions(grid), [N, 2]), [1, N, 2]),
  );
  return mean(mul(error, error), [1, 2]);
}

/** Mean over images, patches and both coordinates of the squared error; z [B, N, D] on a grid of N patches. */
export const positionLoss = (
  z: Tensor,
  weight: Tensor,
  grid: readonly [number, number],
  activation: Activation = 'sigmoid',
): Tensor => mean(positionErrors(z, weight, grid, activation));
