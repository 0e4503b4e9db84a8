/**
 * Masking of a masked autoencoder (MAE, He et al. 2022). The encoder sees only the visible 25% of the patches; the
 * decoder gets their codes followed by one mask token per hidden patch, and `idsRestore` puts that sequence back into
 * image order: `restored[i] = sequence[idsRestore[i]]`.
 *
 *   npx tsx examples/mae-masking.ts
 */
import { randomMask, seededRandom, toAscii } from '@franca/cyclic-mask';

const grid = { height: 8, width: 8 };
const patches = grid.height * grid.width;
const mask = randomMask(grid, 0.75 * patches, seededRandom(0));

const cells = Array.from(mask.keys());
const idsKeep = cells.filter((cell) => !mask[cell]);
const idsMasked = cells.filter((cell) => mask[cell]);

const idsRestore = new Int32Array(patches);
[...idsKeep, ...idsMasked].forEach((cell, position) => {
  idsRestore[cell] = position;
});

// The "encoder" gets the visible patches, here one letter each; the "decoder" sees them in place among mask tokens.
const image = cells.map((cell) => String.fromCharCode(0x41 + (cell % 26)));
const encoded = idsKeep.map((cell) => image[cell]!);
const sequence = [...encoded, ...idsMasked.map(() => '.')];
const restored = Array.from(idsRestore, (position) => sequence[position]!);

console.log(toAscii(mask, grid));
console.log(`\nkeep ${idsKeep.length} of ${patches} patches: ${idsKeep.join(' ')}`);
console.log(`encoder input: ${encoded.join('')}`);
console.log('decoder input in image order:');
for (let row = 0; row < grid.height; row++) {
  console.log(restored.slice(row * grid.width, (row + 1) * grid.width).join(''));
}
