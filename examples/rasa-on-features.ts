/**
 * RASA on features that no network made. Every patch of an 8 x 8 grid is described by what it shows, one of four things, and by where it lies:
 * numbers that grow from top to bottom and from left to right, as in the patches of many vision transformers. Patches that show the same should be
 * alike; instead their neighbours are. RASA finds the directions that give the position away, without being told what anything shows, and removes them.
 *
 *   npx tsx examples/rasa-on-features.ts
 */
import { fitRasa, gridPositions, removePlanes } from '@franca/rasa';
import { randomStream } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';

const grid = [8, 8] as const;
const [images, patchCount, dim, kinds] = [64, 64, 24, 4];
const random = randomStream(7, 0);
const normals = (count: number) => Float32Array.from({ length: count }, () => random.normal());

const positions = gridPositions(grid);
const [down, across] = [normals(dim), normals(dim)];
const shown = Uint8Array.from({ length: images * patchCount }, () => Math.floor(random.uniform() * kinds));
const prototypes = Array.from({ length: kinds }, () => normals(dim));
const patches = Float32Array.from({ length: images * patchCount * dim }, (_, i) => {
  const [row, d] = [Math.floor(i / dim), i % dim];
  const [y, x] = [positions[2 * (row % patchCount)]!, positions[2 * (row % patchCount) + 1]!];
  return prototypes[shown[row]!]![d]! + 12 * ((y - 0.5) * down[d]! + (x - 0.5) * across[d]!) + random.normal();
});

/** How many patches of the first image have a nearest neighbour, in the second, that shows the same. */
function agreement(rows: Float32Array): number {
  const vector = (row: number) => rows.subarray(row * dim, (row + 1) * dim);
  const distance = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + (value - b[d]!) ** 2, 0);
  const second = Array.from({ length: patchCount }, (_, i) => patchCount + i);
  const agreeing = Array.from({ length: patchCount }, (_, i) => i).filter((i) => {
    const nearest = second.reduce((best, j) =>
      distance(vector(i), vector(j)) < distance(vector(i), vector(best)) ? j : best,
    );
    return shown[nearest] === shown[i];
  });
  return agreeing.length;
}

await using gpu = await openGpu();
const { bases, before, stages, stopped } = await fitRasa(gpu, { patches, grid, dim });
for (const [removed, { r2, chance }] of [before, ...stages.map(({ after }) => after)].entries())
  console.log(
    `position read with R^2 ${r2.toFixed(2)} (chance ${chance.toFixed(2)}) after ${removed} planes were removed`,
  );
console.log(`stopped: ${stopped}`);
console.log(`same thing nearest before: ${agreement(patches)} of ${patchCount}`);
const cleaned = patches.slice();
removePlanes(cleaned, dim, bases);
console.log(`same thing nearest after: ${agreement(cleaned)} of ${patchCount}`);
