/**
 * Features that no model made, as many as one likes: the mean of a class plus noise, each row a function of its number. Rows lie by class, as those of
 * class folders do. The noise of a value is the sum of the four bytes of a random word, which is close to normal and costs a few nanoseconds.
 */

export interface MadeFeatures {
  readonly dim: number;
  readonly labels: Int32Array;
  /** Rows `begin` to `end` [rows, D]. */
  rows(begin: number, end: number): Float32Array;
}

/** Spread of the means of classes, in that of the noise: with 1,000 classes and D = 1536 neighbours are mostly, but not always, of the same class. */
const SPREAD = 0.2;
/** Mean and deviation of the sum of four bytes. */
const [CENTRE, DEVIATION] = [4 * 127.5, Math.sqrt((4 * (256 ** 2 - 1)) / 12)];

/** `stream`: other noise around the same means, for a set that is tested on. */
export function madeFeatures(images: number, dim: number, classes: number, stream: number): MadeFeatures {
  const means = noise(classes * dim, 1).map((value) => SPREAD * value);
  const labels = new Int32Array(images);
  for (let i = 0; i < images; i++) labels[i] = Math.floor((i * classes) / images);
  return {
    dim,
    labels,
    rows(begin, end) {
      const data = new Float32Array((end - begin) * dim);
      for (let i = begin; i < end; i++) {
        const row = data.subarray((i - begin) * dim, (i - begin + 1) * dim);
        fillNoise(row, seedOf(i, stream));
        const mean = labels[i]! * dim;
        for (let d = 0; d < dim; d++) row[d]! += means[mean + d]!;
      }
      return data;
    },
  };
}

function noise(length: number, seed: number): Float32Array {
  const out = new Float32Array(length);
  fillNoise(out, seedOf(seed, 0));
  return out;
}

/** A word that is not 0 and has nothing to do with its neighbours' (the finaliser of MurmurHash3). */
function seedOf(number: number, stream: number): number {
  let h = (number + Math.imul(stream + 1, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 1;
}

/** Values of mean 0 and deviation 1, by Marsaglia's xorshift. */
function fillNoise(out: Float32Array, seed: number): void {
  let word = seed;
  for (let i = 0; i < out.length; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
    out[i] = (sum - CENTRE) / DEVIATION;
  }
}
