/**
 * One chunk of a training step of stacked linear heads, as a graph. Per part, with features `X` `[n, D]`, weights `W`
 * `[heads * C, D]` and momenta `M`:
 *
 *   Z = X W^T + b,   dZ = d loss / d Z,   M <- carry M + dZ^T X + decay W,   W <- W - rate r M,
 *
 * `r` the learning rate of each row's head. The update is the epilogue of the product `dZ^T X`, so the gradient is
 * never stored. In the dense form the loss is taken on `U Z`, `U` the bilinear upsampling, and `dZ` is `U^T` of its
 * gradient; `U` is separable, one small matrix for the rows of an image and one for its columns.
 */
import {
  add,
  assign,
  concat,
  constant,
  type GroupTensors,
  matmul,
  mul,
  resample,
  resampleMatrix,
  reshape,
  sliceAxis,
  sub,
  sum,
  type Tensor,
} from '@franca/tensor';
import { crossEntropy } from './cross-entropy-op';
import type { LinearGridSpec } from './eval-backend';
import type { HeadGroup } from './linear-grid';

type GridState = Readonly<Record<string, GroupTensors>>;
interface GridBatch {
  readonly x: Tensor;
  readonly labels: Tensor;
}
type GridKnobs = Readonly<Record<'share' | 'keep' | 'carry' | 'decay' | 'rate', Tensor>>;

/** The step function for features that begin at column `firstColumn`. State tensors of part `i` are named `i`. */
export function gridStep(spec: LinearGridSpec, parts: readonly HeadGroup[], firstColumn: number) {
  const map = spec.upsample ? upsampling(spec.upsample) : { apply: (z: Tensor) => z, adjoint: (z: Tensor) => z };

  function trainPart(part: HeadGroup, i: number, state: GridState, { x, labels }: GridBatch, knobs: GridKnobs): Tensor {
    const tensor = (group: string): Tensor => state[group]!.tensors[i]!;
    const [weights, biases] = [tensor('weights'), tensor('biases')];
    const inputs = sliceAxis(x, 1, part.start - firstColumn, part.end - firstColumn);
    const logits = add(matmul(inputs, weights, { transposeB: true }), biases);
    const { losses, gradient } = crossEntropy(map.apply(logits), { labels, share: knobs.share }, spec.classes);
    const dz = map.adjoint(gradient);
    const learningRates = part.members.flatMap((member) =>
      Array<number>(spec.classes).fill(spec.heads[member]!.learningRate),
    );
    const rates = mul(constant(learningRates, [learningRates.length, 1]), knobs.rate);
    sgd(weights, tensor('weightMomenta'), matmul(dz, inputs, { transposeA: true }), rates, knobs);
    sgd(biases, tensor('biasMomenta'), sum(dz, [0]), reshape(rates, biases.shape), knobs);
    return sum(losses, [0]);
  }

  return (state: GridState, batch: GridBatch, knobs: GridKnobs): undefined => {
    const own = concat(parts.map((part, i) => trainPart(part, i, state, batch, knobs)));
    const losses = state.losses!.tensors.all!;
    assign(losses, add(mul(knobs.keep, losses), own));
  };
}

function sgd(values: Tensor, momenta: Tensor, gradient: Tensor, rates: Tensor, { carry, decay }: GridKnobs): void {
  const moved = assign(momenta, add(add(mul(carry, momenta), gradient), mul(decay, values)));
  assign(values, sub(values, mul(moved, rates)));
}

/** Logits `[images * from, C]` to `[images * to, C]`, and gradients back. */
function upsampling({ from: [h, w], to: [height, width] }: NonNullable<LinearGridSpec['upsample']>) {
  const rows = resampleMatrix(h, height, 'bilinear');
  const columns = resampleMatrix(w, width, 'bilinear');
  return {
    apply(z: Tensor): Tensor {
      const channels = z.shape[1]!;
      return reshape(resample(reshape(z, [-1, h, w, channels]), rows, columns), [-1, channels]);
    },
    adjoint(gradient: Tensor): Tensor {
      const channels = gradient.shape[1]!;
      const pixels = reshape(gradient, [-1, width, channels]);
      const byColumns = matmul(constant(columns, [width, w]), pixels, { transposeA: true });
      const lines = reshape(byColumns, [-1, height, w * channels]);
      return reshape(matmul(constant(rows, [height, h]), lines, { transposeA: true }), [-1, channels]);
    },
  };
}
