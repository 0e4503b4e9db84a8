/**
 * Oxford Flowers 102 (Nilsback and Zisserman 2008): ten images of each class for training, ten for validation, and a test part that is six times as large.
 * The files number the classes and do not name them.
 */

import path from 'node:path';
import { DataError } from '../../errors';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findWhere, hasAll } from './find-folder';
import { type ListedPart, listedBenchmark } from './listed-parts';
import { integersIn, readDevkit } from './mat-fields';

const [LABELS, PARTS] = ['imagelabels.mat', 'setid.mat'];
const COMES = 'from the page of the data set, beside 102flowers.tgz';

export const OXFORD_FLOWERS_102: BenchmarkLayout = {
  facts: {
    name: 'oxford-flowers-102',
    title: 'Oxford Flowers 102',
    metric: 'mean-per-class',
    published: { classes: 102, train: 1_020, val: 1_020, test: 6_149 },
  },
  lies: `102flowers.tgz unpacked (jpg), ${LABELS} and ${PARTS} beside it`,
  find: (root) =>
    findWhere(
      root,
      ['flowers-102', 'oxford-flowers-102'],
      async (folder) => (await hasAll(folder, ['jpg/', LABELS])) || (await hasAll(folder, ['jpg/', PARTS])),
    ),
  open,
};

async function open(folder: string): Promise<Benchmark> {
  const { facts } = OXFORD_FLOWERS_102;
  const list = path.join(folder, PARTS);
  const labels = integersIn((await readDevkit(path.join(folder, LABELS), COMES))('labels'), 1, facts.published.classes);
  const setId = await readDevkit(list, COMES);
  const partOf = (name: string): ListedPart => ({
    list,
    images: integersIn(setId(name), 1, labels.length).map((id) => ({
      file: `jpg/image_${String(id).padStart(5, '0')}.jpg`,
      label: labels[id - 1]! - 1,
    })),
  });
  const [train, val, test] = [partOf('trnid'), partOf('valid'), partOf('tstid')];
  const count = labels.reduce((most, label) => Math.max(most, label), 0);
  if (count === 0)
    throw new DataError('damaged-file', `${path.join(folder, LABELS)}: labels is empty; download it anew`);
  const classes = Array.from({ length: count }, (_, at) => String(at + 1));
  const swapped = train.images.length > test.images.length;
  return listedBenchmark(facts, folder, { classes }, { train, val, test }, [
    ...(swapped
      ? [
          `${list} is no original: its training part is larger than its test part, which are exchanged in some copies; the published test part is the large one`,
        ]
      : []),
  ]);
}
