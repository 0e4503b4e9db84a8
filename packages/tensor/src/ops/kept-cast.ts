/**
 * A cast whose result is in state already: weights that many products read in f16 are rounded once, when they change, and not in every pass. The result is the
 * copy's own bytes, so no kernel runs; the gradient goes to what was copied, as through `cast`. It is recorded for every use, so that gradients of several uses
 * are added in the type of the original.
 */
import { opError } from '../base/errors';
import { sameShape, showShape } from '../base/shape';
import type { Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { cast } from './elementwise';

const keptCastOp: Op<object> = {
  name: 'keptCast',
  infer([copy, x]) {
    if (!sameShape(copy!.shape, x!.shape))
      opError('shape', 'keptCast', `${showShape(copy!.shape)} is no copy of ${showShape(x!.shape)}`);
    return [copy!];
  },
  reference: ([copy]) => [copy!.data],
  view: () => ({ offset: 0 }),
  gradient: ({ inputs, grads }) => [undefined, cast(grads[0]!, inputs[1]!.dtype)],
};

/** x in the type of `copy`, a tensor of state that holds x rounded to it (see `copiesOf`). */
export const keptCast = (x: Tensor, copy: Tensor): Tensor => record1(keptCastOp, [copy, x], {});
