/**
 * The engine's demonstration: a small Vision Transformer, written out in tensor ops, memorises 32 generated images with random labels.
 * Random labels cannot be guessed, so the loss falls from about ln 8 = 2.08 to nearly 0 only if every gradient of the network is right.
 */
import {
  add,
  assign,
  compile,
  createState,
  div,
  exp,
  type GroupTensors,
  gelu,
  grad,
  log,
  matmul,
  max,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { generatedBatch, initialWeights } from './overfit-vit-data';

const size = { images: 32, side: 16, patch: 4, classes: 8, dim: 64, depth: 2 };
const steps = 60;

type Weights = Readonly<Record<string, Tensor>>;

/** Class scores `[B, classes]` of patches `[B, N, patch * patch]`. */
function classify(weights: Weights, patches: Tensor): Tensor {
  let x = add(linear(patches, weights.embed!), weights.position!);
  for (let i = 0; i < size.depth; i++) {
    x = add(x, linear(attention(weights, i, normalise(x)), weights[`${i}.proj`]!));
    x = add(x, linear(gelu(linear(normalise(x), weights[`${i}.fc1`]!)), weights[`${i}.fc2`]!));
  }
  return linear(mean(normalise(x), [1]), weights.head!);
}

/** x W^T, `[.., in]` to `[.., out]`. */
function linear(x: Tensor, weight: Tensor): Tensor {
  return matmul(x, weight, { transposeB: true });
}

/** Zero mean and unit variance over the last axis. */
function normalise(x: Tensor): Tensor {
  const centred = sub(x, mean(x, [-1], { keepDims: true }));
  return mul(centred, rsqrt(add(mean(square(centred), [-1], { keepDims: true }), 1e-6)));
}

/** softmax(q k^T / sqrt(D)) v with one head, `[B, N, D]`. */
function attention(weights: Weights, block: number, x: Tensor): Tensor {
  const [q, k, v] = ['q', 'k', 'v'].map((name) => linear(x, weights[`${block}.${name}`]!)) as [Tensor, Tensor, Tensor];
  const scores = exp(shifted(mul(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(size.dim))));
  return matmul(div(scores, sum(scores, [-1], { keepDims: true })), v);
}

/** x less its row maximum, so that no exponential overflows. */
function shifted(x: Tensor): Tensor {
  return sub(x, max(x, [-1], { keepDims: true }));
}

/** Mean over rows of -log softmax(scores)[label], with labels as one-hot rows. */
function crossEntropy(scores: Tensor, labels: Tensor): Tensor {
  const logits = shifted(scores);
  return mean(sub(log(sum(exp(logits), [-1])), sum(mul(logits, labels), [-1])));
}

/** One step of Adam for every weight, its moments kept in groups of their own. */
function adam(state: Record<string, GroupTensors>, grads: Weights, rate: Tensor): void {
  for (const [name, gradient] of Object.entries(grads)) {
    const first = assign(state.first!.tensors[name]!, average(state.first!.tensors[name]!, gradient, 0.9));
    const second = assign(state.second!.tensors[name]!, average(state.second!.tensors[name]!, square(gradient), 0.99));
    const weight = state.weights!.tensors[name]!;
    assign(weight, sub(weight, mul(mul(reshape(rate, []), first), rsqrt(add(second, 1e-12)))));
  }
}

function average(old: Tensor, value: Tensor, keep: number): Tensor {
  return add(mul(old, keep), mul(value, 1 - keep));
}

const weights = initialWeights(size);
const batch = generatedBatch(size);
const specs = Object.fromEntries(
  Object.entries(weights).map(([name, { shape }]) => [name, { shape, dtype: 'f32' as const }]),
);

await using gpu = await openGpu();
using state = createState(gpu, { weights: specs, first: specs, second: specs });
for (const [name, { values }] of Object.entries(weights)) state.write('weights', name, values);

using step = await compile(
  gpu,
  (groups, { patches, labels }, { rate }) => {
    const own = groups.weights.tensors;
    const names = Object.keys(own);
    const scores = classify(own, patches);
    const loss = crossEntropy(scores, labels);
    const gradients = grad(
      loss,
      names.map((name) => own[name]!),
    );
    adam(groups, Object.fromEntries(names.map((name, i) => [name, gradients[i]!])), rate);
    return { loss };
  },
  {
    state,
    batch: {
      patches: { shape: batch.patchShape, dtype: 'f32' },
      labels: { shape: [size.images, size.classes], dtype: 'f32' },
    },
    knobs: { rate: [1] },
  },
);

const { kernels, totalBytes } = step.report;
console.log(
  `One training step is ${kernels} kernels in ${(totalBytes / 2 ** 20).toFixed(1)} MiB, planned before the first.`,
);
const began = performance.now();
let loss = Number.POSITIVE_INFINITY;
for (let i = 1; i <= steps; i++) {
  step.run({ patches: batch.patches, labels: batch.labels }, { rate: 2e-3 * (1 - i / steps) });
  if (i % 5 !== 0) continue;
  loss = (await step.latest()).loss;
  showProgress(i, loss, (performance.now() - began) / 1000);
}
console.log(
  loss < 0.05 ? 'All 32 images are memorised.' : 'The network did not memorise the images: something is wrong.',
);
process.exitCode = loss < 0.05 ? 0 : 1;

/** Rewrites one line on a terminal; prints lines of their own into a pipe. */
function showProgress(done: number, loss: number, seconds: number): void {
  const rate = done / seconds;
  const line = `step ${done}/${steps}  loss ${loss.toFixed(4)}  ${rate.toFixed(1)} steps/s  ${((steps - done) / rate).toFixed(0)} s left`;
  process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${line}${done === steps ? '\n' : ''}` : `${line}\n`);
}
