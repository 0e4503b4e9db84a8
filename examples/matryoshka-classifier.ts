/**
 * A Matryoshka classifier (Kusupati et al. 2022): an embedding of 32 numbers whose first 2, 4, 8 and 16 are embeddings in their own right, because every prefix is
 * trained to tell the classes apart by a head of its own. Truncating it then costs less than truncating an embedding that was trained whole.
 * The data are 24 clusters on a bent surface; accuracy is that of the nearest class mean on held-out points.
 *
 *   npx tsx examples/matryoshka-classifier.ts
 */
import { type HeadConfig, headSpecs, matryoshkaConfig, projectionHead } from '@franca/matryoshka-heads';
import {
  linear,
  linearSpecs,
  type Parameters,
  parametersOf,
  planChunks,
  prefixed,
  probabilityTargets,
  prototypeLogits,
  targetCrossEntropy,
  trainingStep,
  within,
} from '@franca/nn';
import { add, compile, type Gpu, gelu, mean, oneHot, randomStream, spec, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';

const CLASSES = 24;
const INPUTS = 12;
const WIDTH = 32;
const BATCH = 128;
const STEPS = 300;
const prefixes = [2, 4, 8, 16, 32];

interface Points {
  readonly x: Float32Array;
  readonly labels: Uint32Array;
}

/** Points around one centre per class, bent by a quadratic of their neighbours. */
function draw(count: number, stream: number): Points {
  const centres = randomStream(1, 0);
  const centre = Float64Array.from({ length: CLASSES * INPUTS }, () => centres.normal());
  const random = randomStream(1, stream);
  const labels = Uint32Array.from({ length: count }, () => Math.floor(random.uniform() * CLASSES));
  const flat = [...labels].flatMap((label) =>
    Array.from({ length: INPUTS }, (_, d) => centre[label * INPUTS + d]! + 0.6 * random.normal()),
  );
  const x = Float32Array.from(flat, (value, i) => value + 0.3 * flat[i - (i % INPUTS) + ((i + 1) % INPUTS)]! ** 2);
  return { x, labels };
}

const encoderSpecs = {
  ...prefixed('fc1', linearSpecs(INPUTS, 64, { std: 0.3 })),
  ...prefixed('fc2', linearSpecs(64, WIDTH, { std: 0.2 })),
};
const encode = (p: Parameters, x: Tensor): Tensor => linear(within(p, 'fc2'), gelu(linear(within(p, 'fc1'), x)));

/** Mean cross-entropy of every level against the labels, levels summed. */
function classify(p: Parameters, embedding: Tensor, labels: Tensor, head: HeadConfig): Tensor {
  const targets = probabilityTargets(oneHot(labels, CLASSES));
  const losses = projectionHead(p, embedding, head).map(({ features, prototypes }) => {
    const plan = planChunks({ count: prototypes.count, width: prototypes.width, rows: BATCH });
    const logits = prototypeLogits(features, prototypes, { temperature: 0.2, plan });
    return mean(targetCrossEntropy(logits, targets, { own: BATCH, views: 1 }));
  });
  return losses.reduce((a, b) => add(a, b));
}

/** Trains encoder and head for levels of these widths; returns the embeddings of the points. */
async function train(gpu: Gpu, widths: readonly number[], points: readonly Points[]): Promise<Float32Array[]> {
  const head = matryoshkaConfig(WIDTH, 0, {
    levels: widths.map((width) => ({ width, prototypes: CLASSES })),
    hiddenDim: 32,
    bottleneckDim: 16,
  });
  using training = await trainingStep(
    gpu,
    { ...prefixed('encoder', encoderSpecs), ...prefixed('head', headSpecs(head)) },
    (p, { x, labels }) => ({ loss: classify(within(p, 'head'), encode(within(p, 'encoder'), x), labels, head) }),
    {
      batch: { x: spec([BATCH, INPUTS]), labels: spec([BATCH], 'u32') },
      optimizer: { kind: 'adamw', weightDecay: 0.01 },
      seed: 2,
    },
  );
  for (let i = 0; i < STEPS; i++) training.run({ ...draw(BATCH, 100 + i) }, { lr: 0.01 });

  const rows = points[0]!.labels.length;
  using embed = await compile(
    gpu,
    ({ weights }, { x }) => encode(within(parametersOf(weights.tensors), 'encoder'), x),
    { state: training.state, batch: { x: spec([rows, INPUTS]) } },
  );
  const embeddings: Float32Array[] = [];
  for (const { x } of points) {
    embed.run({ x });
    embeddings.push(Float32Array.from(await embed.read('result')));
  }
  return embeddings;
}

/** Share of points whose nearest class mean, in the first `width` components, is that of their class. */
function accuracy([known, unknown]: readonly Float32Array[], [a, b]: readonly Points[], width: number): number {
  const means = new Float64Array(CLASSES * width);
  const counts = new Float64Array(CLASSES);
  a!.labels.forEach((label, i) => {
    counts[label]!++;
    for (let d = 0; d < width; d++) means[label * width + d]! += known![i * WIDTH + d]!;
  });
  const distance = (i: number, label: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += (unknown![i * WIDTH + d]! - means[label * width + d]! / counts[label]!) ** 2;
    return sum;
  };
  const classes = Array.from({ length: CLASSES }, (_, label) => label);
  const right = b!.labels.filter((label, i) => {
    const distances = classes.map((other) => distance(i, other));
    return distances.indexOf(Math.min(...distances)) === label;
  });
  return right.length / b!.labels.length;
}

await using gpu = await openGpu();
const points = [draw(1000, 1), draw(1000, 2)];
console.log(`components   ${prefixes.map((width) => String(width).padStart(5)).join(' ')}`);
for (const [name, widths] of [
  ['nested', prefixes],
  ['whole', [WIDTH]],
] as const) {
  const embeddings = await train(gpu, widths, points);
  const row = prefixes.map((width) => `${(100 * accuracy(embeddings, points, width)).toFixed(0)}%`.padStart(5));
  console.log(`${name.padEnd(12)} ${row.join(' ')}`);
}
