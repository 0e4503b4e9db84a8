/**
 * Data-parallel training in its smallest form: logistic regression on points in the plane, the points dealt to ranks. Every rank works out the gradient of its own
 * points; the sum over ranks is the gradient of all, so that all weights stay the same, to the bit, and no rank ever sees the points of another.
 *
 *   npx tsx examples/data-parallel.ts
 *   mpirun -n 2 node --import tsx examples/data-parallel.ts
 */
import { openCommunicator } from '@franca/collective';

await using ranks = await openCommunicator({ version: 'data-parallel 1' });

/** Point i of 2000: two overlapping clouds, one on each side of a line. */
function point(i: number): { x: number; y: number; label: number } {
  const noise = (k: number) =>
    Math.sin(i * 12.9898 + k * 78.233) * 43758.5453 - Math.floor(Math.sin(i * 12.9898 + k * 78.233) * 43758.5453);
  const label = i % 2;
  return { x: 2 * noise(1) - 1 + 0.6 * label, y: 2 * noise(2) - 1 - 0.6 * label, label };
}
const own = Array.from({ length: 2000 }, (_, i) => point(i)).filter(
  (_, i) => Math.floor(i / 2) % ranks.size === ranks.rank,
);

const weights = new Float64Array(3);
const sums = new Float64Array(5); // gradient, log-likelihood, number that is right
for (let step = 0; step < 200; step++) {
  sums.fill(0);
  for (const { x, y, label } of own) {
    const p = 1 / (1 + Math.exp(-(weights[0]! * x + weights[1]! * y + weights[2]!)));
    for (const [k, input] of [x, y, 1].entries()) sums[k]! += (p - label) * input;
    sums[3]! += Math.log(label === 1 ? p : 1 - p);
    sums[4]! += Number(p > 0.5 === (label === 1));
  }
  await ranks.allReduce(sums, sums);
  for (let k = 0; k < 3; k++) weights[k]! -= (2 * sums[k]!) / 2000;
}

if (ranks.rank === 0)
  console.log(`${ranks.size} ranks: ${sums[4]} of 2000 points right, log-likelihood ${(sums[3]! / 2000).toFixed(6)}`);
const all = new Float64Array(3 * ranks.size);
await ranks.allGather(weights, all);
const same = all.every((weight, i) => weight === weights[i % 3]);
console.log(
  `rank ${ranks.rank}: weights ${[...weights].map((weight) => weight.toFixed(6)).join(' ')}, ${same ? 'the same' : 'not the same'} on all ranks`,
);
