/** One's own pictures with masks: train/images, train/masks and, where there are any, val/images, val/masks; class names in a JSON file. */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { parseJson } from './parse-json';
import type { SegmentationLayout } from './segmentation-layout';
import { findPairs, hasPart } from './segmentation-pairs';

const folders = (split: string) => ({ split, images: `${split}/images`, masks: `${split}/masks` });

export const OWN: SegmentationLayout = {
  name: 'pairs',
  looks: 'train/images and train/masks',
  isHere: (tree) => hasPart(tree, folders('train')),
  async open(tree) {
    const val = folders('val');
    return {
      classes: await namesOf(tree),
      ignore: 255,
      train: await findPairs(tree, folders('train')),
      ...(hasPart(tree, val) && { val: await findPairs(tree, val) }),
      missing: [val.images, val.masks].filter((folder) => tree.names(folder).length === 0),
      notes: [],
    };
  },
};

/**
 * Names in `annotations.json` (field `classes`) or `classes.json`: a list, first the class of value 0.
 * @throws TrainError `data` where there is no such list of different names
 */
async function namesOf(tree: FileTree): Promise<string[]> {
  for (const file of ['annotations.json', 'classes.json']) {
    if (!tree.has(file)) continue;
    const path = `${tree.name}/${file}`;
    const parsed = parseJson(path, await tree.read(file));
    const list = Array.isArray(parsed) ? parsed : (parsed as { classes?: unknown } | null)?.classes;
    if (!Array.isArray(list)) continue;
    const odd = list.findIndex((name, at) => typeof name !== 'string' || name === '' || list.indexOf(name) !== at);
    if (odd >= 0 || list.length === 0)
      throw new TrainError(
        'data',
        `${path}: class ${Math.max(0, odd)} is ${JSON.stringify(list[odd]) ?? 'missing'}; classes are a list of different names, first that of value 0`,
      );
    return list as string[];
  }
  throw new TrainError(
    'data',
    `${tree.name} names no classes; write a classes.json: a list, first the class of value 0`,
  );
}
