/**
 * Online clustering as in SwAV (Caron et al. 2020), on points of the unit circle: six clusters, six prototypes, which
 * all start on one half of the circle. Each batch holds two noisy views of every point; the assignment of one view is the
 * target for the other. With plain softmax assignments a prototype that no point is nearest to never learns; Sinkhorn
 * shares the batch out among all prototypes, so that each is pulled to a cluster of its own.
 *
 *   npx tsx examples/swav-clustering.ts
 */
import { type RandomSource, seededRandom } from '@franca/cyclic-mask';
import { centeredSoftmax, sinkhorn } from '@franca/sinkhorn/arrays';

type Assign = (scores: Float64Array) => Float64Array;

const CLUSTERS = 6;
const PROTOTYPES = 6;
const BATCH = 96;
const STEPS = 500;
const LEARNING_RATE = 1;
const STUDENT_TEMPERATURE = 0.1;
const TARGET_TEMPERATURE = 0.07;
const RUNS = 5;
const NOISE = 0.25;
const shape = [BATCH, PROTOTYPES] as const;
const noCenter = new Float64Array(PROTOTYPES);

/** Scores z . c of points on the circle, `[B, K]`, from angles. */
function scoresOf(points: number[], prototypes: number[]): Float64Array {
  return Float64Array.from(points.flatMap((point) => prototypes.map((prototype) => Math.cos(point - prototype))));
}

function softmax(scores: Float64Array, temperature: number): Float64Array {
  return centeredSoftmax(scores, shape, { center: noCenter, temperature });
}

function drawLabels(count: number, random: RandomSource): number[] {
  return Array.from({ length: count }, () => random.integer(0, CLUSTERS - 1));
}

/** A noisy view of a point of each label: its angle. */
function viewOf(labels: number[], random: RandomSource): number[] {
  return labels.map((label) => (2 * Math.PI * label) / CLUSTERS + random.uniform(-NOISE, NOISE));
}

/** Trains the prototypes (angles) by gradient descent on the swapped cross-entropy. */
function cluster(assign: Assign, random: RandomSource): number[] {
  const prototypes = Array.from({ length: PROTOTYPES }, () => random.uniform(0, Math.PI));
  for (let step = 0; step < STEPS; step++) {
    const labels = drawLabels(BATCH, random);
    const views = [viewOf(labels, random), viewOf(labels, random)] as const;
    const gradients = [
      gradientOf(views[0], views[1], prototypes, assign),
      gradientOf(views[1], views[0], prototypes, assign),
    ];
    for (const gradient of gradients) {
      for (let k = 0; k < PROTOTYPES; k++) prototypes[k]! -= LEARNING_RATE * gradient[k]!;
    }
  }
  return prototypes;
}

/** Gradient by prototype angle of CE(assignment of `other`, prediction of `view`). */
function gradientOf(view: number[], other: number[], prototypes: number[], assign: Assign): Float64Array {
  const target = assign(scoresOf(other, prototypes));
  const predicted = softmax(scoresOf(view, prototypes), STUDENT_TEMPERATURE);
  const gradient = new Float64Array(PROTOTYPES);
  view.forEach((point, s) => {
    prototypes.forEach((prototype, k) => {
      const error = predicted[s * PROTOTYPES + k]! - target[s * PROTOTYPES + k]!;
      gradient[k]! += (error / STUDENT_TEMPERATURE / BATCH) * Math.sin(point - prototype);
    });
  });
  return gradient;
}

/** Accuracy when every prototype stands for the cluster that most of its points come from. */
function accuracyOf(prototypes: number[], random: RandomSource): number {
  const labels = drawLabels(2000, random);
  const votes = prototypes.map(() => new Int32Array(CLUSTERS));
  viewOf(labels, random).forEach((point, i) => {
    const scores = scoresOf([point], prototypes);
    votes[scores.indexOf(Math.max(...scores))]![labels[i]!]! += 1;
  });
  return votes.reduce((sum, counts) => sum + Math.max(...counts), 0) / labels.length;
}

function report(name: string, assign: Assign): void {
  const accuracies = Array.from({ length: RUNS }, (_, seed) => {
    const random = seededRandom(seed);
    return accuracyOf(cluster(assign, random), random);
  });
  console.log(`${name} assignments: accuracy ${accuracies.map((value) => `${(100 * value).toFixed(1)}%`).join(', ')}`);
}

report('softmax ', (scores) => softmax(scores, TARGET_TEMPERATURE));
report('Sinkhorn', (scores) => sinkhorn(scores, shape, { temperature: TARGET_TEMPERATURE }));
