/**
 * Convolutions of 3x3 taps, as in the fusion blocks of a DPT head at a smaller size: forward, and the gradients of images and weight with the forward pass
 * that these depend on. Peers get the operands in the layouts of this engine and permute them as they need. jax-js on WebAssembly takes 40 times as long, and is left out.
 */
import { concat, conv2d, grad, reshape, square, sum } from '@franca/tensor';
import { type BenchCase, pureCase } from '../case';
import type { Jax, JaxArray } from '../parties/jax';
import type { Tf, TfTensor } from '../parties/tfjs';

interface Convolution {
  readonly images: number;
  /** Rows, and columns. */
  readonly side: number;
  /** Of images and results alike. */
  readonly channels: number;
}

const tfjsConvolution = (tf: Tf, x: TfTensor, weight: TfTensor): TfTensor =>
  tf.conv2d(x as never, tf.transpose(weight, [1, 2, 3, 0]) as never, 1, 'same');

function jaxConvolution({ lax, np }: Jax, x: JaxArray, weight: JaxArray): JaxArray {
  const channelsFirst = (array: JaxArray): JaxArray => np.transpose(array, [0, 3, 1, 2]);
  const y = lax.conv(channelsFirst(x), channelsFirst(weight), [1, 1], 'SAME');
  return np.transpose(y, [0, 2, 3, 1]);
}

function convolutionPair({ images, side, channels }: Convolution): BenchCase[] {
  const inputs = { x: [images, side, side, channels], weight: [channels, 3, 3, channels] };
  const size = `${inputs.x.join('x')} to ${channels}`;
  const flops = 2 * images * side ** 2 * 9 * channels ** 2;
  // sums of thousands of products of numbers up to 1, in different orders
  const tolerance = 1e-4;
  return [
    pureCase({
      name: `convolution 3x3 forward: ${size}`,
      flops,
      tolerance,
      inputs,
      franca: ({ x, weight }) => conv2d(x, weight, { padding: 1 }),
      tfjs: (tf, { x, weight }) => tfjsConvolution(tf, x, weight),
      jax: (jax, { x, weight }) => jaxConvolution(jax, x, weight),
    }),
    pureCase({
      name: `convolution 3x3 forward and gradients: ${size}`,
      flops: 3 * flops,
      tolerance,
      inputs,
      franca: ({ x, weight }) =>
        concat(grad(sum(square(conv2d(x, weight, { padding: 1 }))), [x, weight]).map((own) => reshape(own, [-1]))),
      tfjs: (tf, { x, weight }) =>
        tf.concat(
          tf
            .grads((image, own) => tf.sum(tf.square(tfjsConvolution(tf, image!, own!))))([x, weight])
            .map((own) => tf.reshape(own, [-1])),
        ),
      jax: (jax, { x, weight }) => {
        const loss = ([image, own]: [JaxArray, JaxArray]): JaxArray =>
          jax.np.square(jaxConvolution(jax, image, own)).sum();
        const gradients = jax.grad(loss)([x, weight]) as [JaxArray, JaxArray];
        return jax.np.concatenate(gradients.map((own) => own.reshape([-1])));
      },
    }),
  ];
}

function withoutWasm({ open, ...bench }: BenchCase): BenchCase {
  const { 'jax-js wasm': _, ...others } = open;
  return { ...bench, open: others };
}

export const convolutionCases: readonly BenchCase[] = [
  { images: 1, side: 60, channels: 128 },
  { images: 4, side: 30, channels: 64 },
]
  .flatMap(convolutionPair)
  .map(withoutWasm);
