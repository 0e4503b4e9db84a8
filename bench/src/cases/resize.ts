/** Feature maps of a dense head at twice and four times the size, bilinear with aligned corners, and the gradient of their pixels. Memory decides. */
import { grad, mul, resize, sum } from '@franca/tensor';
import { type BenchCase, pureCase } from '../case';
import type { Tf, TfTensor } from '../parties/tfjs';

const tfjsResize = (tf: Tf, x: TfTensor, size: [number, number]): TfTensor =>
  tf.image.resizeBilinear(x as Parameters<Tf['image']['resizeBilinear']>[0], size, true);

const channels = 64;

/** jax-js has no resizing. */
export const resizeCases: readonly BenchCase[] = [
  { batch: 4, from: 60, to: 120 },
  { batch: 2, from: 60, to: 240 },
].flatMap(({ batch, from, to }) => {
  const x = [batch, from, from, channels];
  const gradient = [batch, to, to, channels];
  const bytes = 4 * batch * channels * (from ** 2 + to ** 2);
  const sizes = `${x.join('x')} to ${to}x${to}`;
  // weights of both parties are differences of coordinates below 64 in f32
  const tolerance = 1e-5;
  return [
    pureCase({
      name: `resize: ${sizes}`,
      bytes,
      tolerance,
      inputs: { x },
      franca: (inputs) => resize(inputs.x, [to, to], { alignCorners: true }),
      tfjs: (tf, inputs) => tfjsResize(tf, inputs.x, [to, to]),
    }),
    pureCase({
      name: `resize, gradient: ${sizes}`,
      bytes,
      tolerance,
      inputs: { x, gradient },
      franca: (inputs) =>
        grad(sum(mul(resize(inputs.x, [to, to], { alignCorners: true }), inputs.gradient)), [inputs.x])[0]!,
      tfjs: (tf, inputs) =>
        tf.grad((input) => tf.sum(tf.mul(tfjsResize(tf, input, [to, to]), inputs.gradient)))(inputs.x),
    }),
  ];
});
