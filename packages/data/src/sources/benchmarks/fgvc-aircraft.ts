/** FGVC-Aircraft (Maji et al. 2013) by variant: 100 kinds of aircraft, whose names hold spaces and slashes (`F/A-18`). */

import path from 'node:path';
import type { Split } from '../source-kind';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findFolder } from './find-folder';
import { classOf, fieldsOf, placesOf, readLines, relativePath } from './list-file';
import { type ListedPart, listedBenchmark } from './listed-parts';

const COMES = 'with fgvc-aircraft-2013b.tar.gz';

export const FGVC_AIRCRAFT: BenchmarkLayout = {
  facts: {
    name: 'fgvc-aircraft',
    title: 'FGVC-Aircraft',
    metric: 'mean-per-class',
    published: { classes: 100, train: 3_334, val: 3_333, test: 3_333 },
  },
  lies: 'fgvc-aircraft-2013b.tar.gz unpacked: data/images, data/variants.txt and data/images_variant_{train,val,test}.txt',
  find: (root) =>
    findFolder(root, {
      names: ['data', 'fgvc-aircraft-2013b/data'],
      signs: ['images/', 'variants.txt'],
    }),
  open,
};

async function open(folder: string): Promise<Benchmark> {
  const variants = path.join(folder, 'variants.txt');
  const classes = (await readLines(variants, COMES)).map(({ text }) => text);
  const places = placesOf(classes, variants);
  const partOf = async (split: Split): Promise<ListedPart> => {
    const list = path.join(folder, `images_variant_${split}.txt`);
    const images = (await readLines(list, COMES)).map((line) => {
      const [image, variant] = fieldsOf(line, 2) as [string, string];
      return { file: `images/${relativePath(line, image)}.jpg`, label: classOf(line, variant, places) };
    });
    return { list, images };
  };
  return listedBenchmark(
    FGVC_AIRCRAFT.facts,
    folder,
    { classes },
    { train: await partOf('train'), val: await partOf('val'), test: await partOf('test') },
  );
}
