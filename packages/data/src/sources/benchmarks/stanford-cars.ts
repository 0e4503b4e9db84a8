/** Stanford Cars (Krause et al. 2013): 196 cars by make, model and year. The labels of the test images are a file of their own, which came later. */

import path from 'node:path';
import { DataError } from '../../errors';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findFolder, firstWith } from './find-folder';
import { type ListedPart, listedBenchmark } from './listed-parts';
import { fileNameOf, integerOf, readDevkit, recordsIn, textsIn } from './mat-fields';

const COMES = 'with car_devkit.tgz';
const TEST_LABELS = 'cars_test_annos_withlabels.mat';

export const STANFORD_CARS: BenchmarkLayout = {
  facts: {
    name: 'stanford-cars',
    title: 'Stanford Cars',
    metric: 'top-1',
    published: { classes: 196, train: 8_144, test: 8_041 },
  },
  lies: `cars_train.tgz, cars_test.tgz and car_devkit.tgz unpacked side by side (cars_train, cars_test, devkit), and ${TEST_LABELS} beside or in devkit`,
  find: (root) => findFolder(root, { names: ['stanford_cars', 'stanford-cars'], signs: ['cars_train/', 'devkit/'] }),
  open,
};

async function open(folder: string): Promise<Benchmark> {
  const devkit = (name: string): string => path.join(folder, 'devkit', name);
  const classes = textsIn((await readDevkit(devkit('cars_meta.mat'), COMES))('class_names'));
  const labelled = await firstWith(folder, ['.', 'devkit'], [TEST_LABELS]);
  if (labelled === undefined)
    throw new DataError(
      'not-found',
      `the labels of the test images are missing: put ${TEST_LABELS} into ${folder} or its devkit (cars_test_annos.mat has none)`,
    );
  const partOf = async (images: string, list: string): Promise<ListedPart> => {
    // some archives hold a folder of the same name
    const inside = (await firstWith(folder, [`${images}/${images}`, images], ['./'])) ?? images;
    const annotations = (await readDevkit(list, COMES))('annotations');
    return {
      list,
      images: recordsIn(annotations, (record) => {
        const name = fileNameOf(record.fname);
        const label = integerOf(record.class, 1, classes.length);
        return name === undefined || label === undefined ? undefined : { file: `${inside}/${name}`, label: label - 1 };
      }),
    };
  };
  return listedBenchmark(
    STANFORD_CARS.facts,
    folder,
    { classes },
    {
      train: await partOf('cars_train', devkit('cars_train_annos.mat')),
      test: await partOf('cars_test', path.join(folder, labelled, TEST_LABELS)),
    },
  );
}
