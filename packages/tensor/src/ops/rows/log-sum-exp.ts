/** log sum exp(x) over axes, from x - max(x): it neither overflows nor loses small terms. */
import type { Tensor } from '../../graph/op';
import { checkTensor } from '../../graph/record';
import { add, exp, log, maximum, sub } from '../elementwise';
import { max } from '../extrema';
import { type ReduceOptions, sum } from '../reduce';
import { reshape, stopGradient } from '../views';

/** log sum exp(x) over `axes` (default all). */
export function logSumExp(x: Tensor, axes?: readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  checkTensor('logSumExp', x);
  // the lowest float instead of -infinity, from which nothing could be subtracted
  const top = stopGradient(
    maximum(max(x, axes, { keepDims: true }), x.dtype === 'f16' ? -65504 : -3.4028234663852886e38),
  );
  const result = add(log(sum(exp(sub(x, top)), axes, { keepDims: true })), top);
  return keepDims ? result : reshape(result, sum(x, axes).shape);
}
