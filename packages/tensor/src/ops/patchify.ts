/** Images as sequences of patches: what a convolution with stride = kernel sees, laid out for a matrix product. */
import { opError } from '../base/errors';
import { showShape } from '../base/shape';
import type { Tensor } from '../graph/op';
import { checkTensor } from '../graph/record';
import { transpose } from './transpose';
import { reshape } from './views';

/** x [B, C, H, W] -> [B, (H/p)(W/p), C p p]: patches row-major, inside each channel, row, column, as a strided convolution's weight is stored. */
export function patchify(x: Tensor, patch: number): Tensor {
  checkTensor('patchify', x);
  const [B, C, H, W] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || H % patch !== 0 || W % patch !== 0)
    opError(
      'shape',
      'patchify',
      `images ${showShape(x.shape)} do not divide into patches of ${patch}; crop or pad them first`,
    );
  const [h, w] = [H / patch, W / patch];
  return reshape(transpose(reshape(x, [B, C, h, patch, w, patch]), [0, 2, 4, 1, 3, 5]), [B, h * w, C * patch * patch]);
}
