/** The position head: a bias-free linear map to two coordinates, a sigmoid, the mean squared error to the grid. */
import { constant, matmul, mean, mul, reshape, sigmoid, sub, type Tensor, tanh } from '@franca/tensor';
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

/** Error of predicting the mean position everywhere: the mean variance of the two coordinates. */
export function constantError(grid: readonly [number, number]): number {
  const positions = gridPositions(grid);
  const n = positions.length / 2;
  let error = 0;
  for (const axis of [0, 1]) {
    const values = Array.from({ length: n }, (_, i) => positions[2 * i + axis]!);
    const average = values.reduce((a, b) => a + b, 0) / n;
    error += values.reduce((a, b) => a + (b - average) ** 2, 0) / n / 2;
  }
  return error;
}

/** Predicted positions of tokens z [.., D] by a head W [2, D]: [.., 2]. */
export function predictPositions(z: Tensor, weight: Tensor, activation: Activation = 'sigmoid'): Tensor {
  const linear = matmul(z, weight, { transposeB: true });
  return activation === 'sigmoid' ? sigmoid(linear) : activation === 'tanh' ? tanh(linear) : linear;
}

/** Mean over images, patches and both coordinates of the squared error; z [B, N, D] on a grid of N patches. */
export function positionLoss(
  z: Tensor,
  weight: Tensor,
  grid: readonly [number, number],
  activation: Activation = 'sigmoid',
): Tensor {
  const [, N] = z.shape as [number, number, number];
  if (N !== grid[0] * grid[1]) throw new RasaError('shape', `${N} patches are no grid of ${grid[0]} x ${grid[1]}`);
  const error = sub(predictPositions(z, weight, activation), reshape(constant(gridPositions(grid), [N, 2]), [1, N, 2]));
  return mean(mul(error, error));
}
