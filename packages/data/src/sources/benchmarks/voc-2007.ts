/**
 * PASCAL VOC 2007, image classification: which of 20 classes an image shows, several at once or none (ImageSets/Main).
 *
 * Each class has a list per part with 1 where an image shows it, -1 where not, and 0 where all that it shows of it is "difficult" to recognise. As in the
 * challenge and in the linear evaluations since (SVMs of VISSL), a difficult image counts neither for nor against that class, in training and in scoring, and counts as usual for
 * the other classes. The metric is the mean over classes of the average precision at 11 points of recall.
 */

import path from 'node:path';
import { isFile } from '../../files/is-file';
import type { Split } from '../source-kind';
import type { Benchmark, BenchmarkLayout } from './benchmark';
import { findWhere, hasAll } from './find-folder';
import { damaged, fieldsOf, readLines, relativePath } from './list-file';
import { type ListedImage, type ListedPart, listedBenchmark } from './listed-parts';

const CLASSES: readonly string[] =
  'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
    ' ',
  );
const LISTS = 'ImageSets/Main';
const SPLITS = ['train', 'val', 'test'] as const;
const ARCHIVES: Readonly<Record<Split, string>> = {
  train: 'VOCtrainval_06-Nov-2007.tar',
  val: 'VOCtrainval_06-Nov-2007.tar',
  test: 'VOCtest_06-Nov-2007.tar',
};

export const VOC_2007: BenchmarkLayout = {
  facts: {
    name: 'voc-2007',
    title: 'PASCAL VOC 2007 classification',
    metric: '11-point-map',
    published: { classes: 20, train: 2_501, val: 2_510, test: 4_952 },
  },
  lies: `${ARCHIVES.train} and ${ARCHIVES.test} unpacked into one VOCdevkit: VOC2007/JPEGImages, VOC2007/${LISTS}`,
  find: (root) => findWhere(root, ['VOCdevkit/VOC2007', 'VOC2007'], isHere),
  open,
};

/**
 * Other years have the same folders: by the name of the folder, or by the first images, which are called so in this year alone. So have data of
 * one's own, often under this very name, but without the lists of these classes.
 */
async function isHere(folder: string): Promise<boolean> {
  if (!(await hasAll(folder, ['JPEGImages/', `${LISTS}/`]))) return false;
  const lists = SPLITS.map((split) => isFile(listAt(folder, CLASSES[0]!, split)));
  if (!(await Promise.all(lists)).includes(true)) return false;
  if (/voc[-_ ]?2007$/i.test(path.basename(path.resolve(folder)))) return true;
  return (await hasAll(folder, ['JPEGImages/000005.jpg'])) || hasAll(folder, ['JPEGImages/000001.jpg']);
}

const listAt = (folder: string, name: string, split: Split): string => path.join(folder, LISTS, `${name}_${split}.txt`);

async function open(folder: string): Promise<Benchmark> {
  const parts: { [Part in Split]?: ListedPart } = {};
  const notes: string[] = [];
  for (const split of SPLITS) {
    // the test part is an archive of its own; the others are there or the data set is damaged
    if (split === 'test' && !(await isFile(listAt(folder, CLASSES[0]!, split)))) {
      notes.push(`there is no test part: its lists and images come with ${ARCHIVES[split]}`);
      continue;
    }
    parts[split] = await partOf(split, (name) => listAt(folder, name, split));
  }
  return listedBenchmark(VOC_2007.facts, folder, { classes: CLASSES }, parts, notes);
}

async function partOf(split: Split, listOf: (name: string) => string): Promise<ListedPart> {
  const images = new Map<string, { labels: number[]; difficult: number[] }>();
  for (const [place, name] of CLASSES.entries()) {
    const lines = await readLines(listOf(name), `with ${ARCHIVES[split]}`);
    const seen = new Set<string>();
    for (const line of lines) {
      const [id, sign] = fieldsOf(line, 2) as [string, string];
      if (place === 0 && !images.has(id)) images.set(relativePath(line, id), { labels: [], difficult: [] });
      const image = images.get(id);
      if (!image) throw damaged(line, `is an image that ${listOf(CLASSES[0]!)} does not have`);
      if (seen.has(id)) throw damaged(line, 'is an image that was there before');
      seen.add(id);
      if (sign === '1') image.labels.push(place);
      else if (sign === '0') image.difficult.push(place);
      else if (sign !== '-1') throw damaged(line, `has ${sign} where 1, 0 or -1 stands`);
    }
    if (seen.size < images.size) {
      const lacking = [...images.keys()].find((id) => !seen.has(id))!;
      throw damaged(
        { where: listOf(name), text: lacking },
        `is an image of ${listOf(CLASSES[0]!)} that is not in this list`,
      );
    }
  }
  const listed: ListedImage[] = [...images].map(([id, { labels, difficult }]) => ({
    file: `JPEGImages/${id}.jpg`,
    labels,
    difficult,
  }));
  return { list: listOf('*'), images: listed };
}
