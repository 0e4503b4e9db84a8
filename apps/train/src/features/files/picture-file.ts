/**
 * Patch tokens of pictures at sizes of their own: a file with one array [rows, columns, numbers] for each picture, which has the picture's name. What reads whole pictures and frames of
 * videos reads these; where all pictures have as many patches, whatever reads patches does.
 */
import { TrainError } from '../../errors';
import { join } from '../collect';
import type { FeatureFile, Grid } from './feature-file';
import type { RawArray, RawFeatures } from './raw-features';
import { factsOf } from './said-of-features';

/** @param pictures arrays of one width @throws TrainError `data` where one is empty */
export function pictureFile(raw: RawFeatures, pictures: ReadonlyMap<string, RawArray>): FeatureFile {
  const { path, hash, close } = raw;
  const names = [...pictures.keys()];
  const arrays = [...pictures.values()];
  const [first] = arrays as [RawArray];
  const dim = first.shape[2]!;
  const empty = arrays.findIndex(({ shape }) => shape.includes(0));
  if (empty >= 0)
    throw new TrainError('data', `${path} has ${names[empty]} [${arrays[empty]!.shape}] without any patch`);
  const gridOf = (row: number): Grid => [arrays[row]!.shape[0]!, arrays[row]!.shape[1]!];
  const isOneGrid = arrays.every((_, row) => gridOf(row).join() === gridOf(0).join());
  return {
    ...{ path, hash, dim, names, gridOf },
    rows: names.length,
    has: new Set(['patches']),
    grid: isOneGrid ? gridOf(0) : undefined,
    labelled: undefined,
    said: factsOf(raw),
    async read(_, begin, end) {
      const parts: Float32Array[] = [];
      for (let row = begin; row < end; row++) parts.push(await finite(arrays[row]!, `${path}: ${names[row]}`));
      return join(parts);
    },
    [Symbol.asyncDispose]: close,
  };
}

async function finite({ shape, read }: RawArray, name: string): Promise<Float32Array> {
  const values = await read(0, shape[0]!);
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd === undefined) return values;
  throw new TrainError('data', `${name} has ${odd}, which is no finite number; write it again`);
}
