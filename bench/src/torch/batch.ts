/** Inputs of a pretraining step that leave no place of its lists empty, so that neither side computes padding. */
import { type PretrainOptions, pretrainSignature } from '@franca/pretraining';
import { type Shape, sizeOf } from '@franca/tensor';
import { inputValues } from '../case';

export type Named = Record<string, Float32Array<ArrayBuffer>>;

/** Crops of noise on waves, masks that fill the list of masked patches, and the first samples of each list kept. */
export function makeBatch(options: PretrainOptions): Named {
  const { batch: shapes } = pretrainSignature(options);
  const [crops, N] = shapes.masks.shape as [number, number];
  const { bound } = options.masks;
  const masked = Math.ceil(crops / 2);
  // crop i of the masked ones gets patches i, i + masked, ... of the list
  const counts = Array.from({ length: masked }, (_, i) => Math.ceil((bound - i) / masked));
  const masks = new Float32Array(crops * N);
  const indices = counts.flatMap((count, i) => Array.from({ length: count }, (_, j) => i * N + ((j * 5 + i) % N)));
  const unique = [...new Set(indices)];
  if (unique.length !== bound) throw new Error(`masks of ${N} patches do not fill a list of ${bound}`);
  for (const index of unique) masks[index] = 1;
  const values: Named = {
    masks,
    maskIndices: Float32Array.from(unique),
    masksWeight: Float32Array.from(unique, (index) => 1 / counts[Math.floor(index / N)]!),
  };
  Object.entries(shapes).forEach(([name, { shape }], i) => {
    if (name.startsWith('kept.')) values[name] = Float32Array.from({ length: sizeOf(shape) }, (_, j) => j);
    else if (!(name in values)) values[name] = images(shape, i);
  });
  return values;
}

/** Noise on waves of a frequency per image: tokens of different images must differ by more than rounding. */
function images(shape: Shape, seed: number): Float32Array<ArrayBuffer> {
  const size = sizeOf(shape.slice(1));
  return inputValues(shape, seed).map(
    (noise, i) => noise + Math.sin((i % size) * 0.01 * (1 + (Math.floor(i / size) % 37))),
  );
}
