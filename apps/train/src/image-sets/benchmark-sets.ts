/** The parts of a published data set that was found in its own files. */
import type { FoundBenchmark, ImageSource, Split } from '@franca/data';
import { TrainError } from '../errors';
import { type ImageSet, type ImageSets, imageSet, type SetLimits, spread } from './image-set';

/**
 * Training, test and, where it was published with one, validation part.
 * @throws DataError as the layout's `open`; TrainError `data` where it is no data set to learn from and be tested on
 */
export async function openBenchmarkSets({ layout, folder }: FoundBenchmark, limits: SetLimits): Promise<ImageSets> {
  const { facts, parts, notes: found, close } = await layout.open(folder);
  const { train, val, test } = parts;
  if (!train || !test) {
    await close();
    throw new TrainError(
      'data',
      `${facts.title} in ${folder} has no ${train ? 'test' : 'training'} part; it lies as ${layout.lies}`,
    );
  }
  // several sets stand in one table: each note says of which
  const own = new Set([train, val, test].flatMap((part) => part?.notes ?? []).concat(found));
  const notes = [...own].map((note) => `${facts.name}: ${note}`);
  const partOf = (source: ImageSource, split: Split, limit: number | undefined): ImageSet =>
    spread(imageSet(source, { dataset: facts.name, split, notes, benchmark: facts }), limit);
  return {
    train: partOf(train, 'train', limits.train),
    ...(val && { validation: partOf(val, 'val', limits.test) }),
    test: partOf(test, 'test', limits.test),
    close,
  };
}
