/** CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary form: 50,000 small images for training and 10,000 for testing. */

import path from 'node:path';
import { DataError } from '../../errors';
import { isFolder } from '../../files/is-folder';
import { cifarSource } from '../cifar';
import type { Benchmark, BenchmarkFacts, BenchmarkLayout } from './benchmark';
import { findWhere, hasAll } from './find-folder';
import { countNotes } from './listed-parts';

interface Variant {
  readonly facts: BenchmarkFacts;
  readonly archive: string;
  /** Folders that the two archives unpack to. */
  readonly binary: string;
  readonly pickled: string;
  /** Files that tell the binary form, all of one row, and the pickled one. */
  readonly files: readonly (readonly string[])[];
  readonly pickles: readonly string[];
}

const IMAGES = { train: 50_000, test: 10_000 };

export const CIFAR_10: BenchmarkLayout = layoutOf({
  facts: { name: 'cifar-10', title: 'CIFAR-10', metric: 'top-1', published: { classes: 10, ...IMAGES } },
  archive: 'cifar-10-binary.tar.gz',
  binary: 'cifar-10-batches-bin',
  pickled: 'cifar-10-batches-py',
  files: [['test_batch.bin'], ['data_batch_1.bin']],
  pickles: ['test_batch', 'data_batch_1', 'batches.meta'],
});

export const CIFAR_100: BenchmarkLayout = layoutOf({
  facts: { name: 'cifar-100', title: 'CIFAR-100', metric: 'top-1', published: { classes: 100, ...IMAGES } },
  archive: 'cifar-100-binary.tar.gz',
  binary: 'cifar-100-binary',
  pickled: 'cifar-100-python',
  files: [['fine_label_names.txt'], ['train.bin', 'test.bin']],
  pickles: ['train', 'test', 'meta'],
});

// @__NO_SIDE_EFFECTS__
function layoutOf({ facts, archive, binary, pickled, files, pickles }: Variant): BenchmarkLayout {
  const isBinary = async (folder: string): Promise<boolean> => {
    for (const row of files) if (await hasAll(folder, row)) return true;
    return false;
  };
  return {
    facts,
    lies: `${archive} unpacked: the .bin files`,
    find: (root) =>
      findWhere(
        root,
        [binary, pickled],
        async (folder) =>
          (await isBinary(folder)) ||
          // where both forms lie side by side, the binary one is the data set
          ((await hasAll(folder, pickles)) && !(await isFolder(path.join(path.dirname(folder), binary)))),
      ),
    async open(folder): Promise<Benchmark> {
      if (!(await isBinary(folder)))
        throw new DataError(
          'unsupported-format',
          `${folder} holds ${facts.title} as pickles of Python, which are programs; download the binary version, ${archive}`,
        );
      const [train, test] = [await cifarSource(folder, 'train'), await cifarSource(folder, 'val')];
      const { notes: ofTrain = [], ...trainPart } = train;
      const { notes: ofTest = [], ...testPart } = test;
      const parts = { train: trainPart, test: { ...testPart, name: test.name.replace(' val ', ' test ') } };
      return { facts, parts, notes: [...ofTrain, ...ofTest, ...countNotes(facts, parts)], close: async () => {} };
    },
  };
}
