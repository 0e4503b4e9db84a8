/**
 * `trainaug` of PASCAL VOC 2012 put together from what the Semantic Boundaries Dataset (SBD) unpacks to: VOC's own training pictures with VOC's masks, and
 * all others of SBD's two lists, less those that VOC scores, with SBD's masks.
 */
import type { FileTree } from '@franca/data';
import { readMask } from './read-mask';
import { readMatMask } from './sbd-mask';
import type { LayoutPart, MaskedPicture } from './segmentation-layout';
import { namesOfList } from './segmentation-pairs';

const LISTS = ['train.txt', 'val.txt'];

/** The folder of SBD's lists and masks in `tree` or one folder down. */
export function findSbd(tree: FileTree): string | undefined {
  const inside = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
  return ['', ...tree.names('')]
    .flatMap((folder) => ['benchmark_RELEASE/dataset', 'dataset'].map((name) => inside(folder, name)))
    .find((folder) => tree.names(`${folder}/cls`).length > 0 && LISTS.every((list) => tree.has(`${folder}/${list}`)));
}

/**
 * @param voc VOC's training part, with paths in `tree`
 * @param pictures VOC's pictures by name, paths in `tree`
 * @param scored names that are left out
 */
export async function withSbd(
  tree: FileTree,
  sbd: string,
  voc: LayoutPart,
  { pictures, scored }: { readonly pictures: ReadonlyMap<string, string>; readonly scored: ReadonlySet<string> },
): Promise<LayoutPart> {
  const own = new Set(voc.pictures.map(({ mask }) => mask.replace(/^.*\/|\.png$/g, '')));
  const lists = await Promise.all(LISTS.map((list) => namesOfList(tree, `${sbd}/${list}`)));
  const added = [...new Set(lists.flatMap((list) => [...list]))]
    .filter((name) => !scored.has(name) && !own.has(name))
    .sort();
  const found: MaskedPicture[] = [];
  const unmasked: string[] = [];
  for (const name of added) {
    const [picture, mask] = [pictures.get(name) ?? `${sbd}/img/${name}.jpg`, `${sbd}/cls/${name}.mat`];
    if (tree.has(picture) && tree.has(mask)) found.push({ key: `${name}.jpg`, picture, mask });
    else unmasked.push(`${name} (no ${tree.has(mask) ? 'picture' : `${name}.mat in ${sbd}/cls`})`);
  }
  return {
    ...voc,
    split: 'trainaug',
    pictures: [...voc.pictures, ...found].sort((a, b) => (a.key < b.key ? -1 : 1)),
    unmasked: [...voc.unmasked, ...unmasked],
    notes: [
      `train is trainaug put together: ${voc.pictures.length} pictures of VOC's train with its masks and ${found.length} others of ${sbd} with SBD's`,
      ...voc.notes,
    ],
    readMask: (bytes, path) => (path.endsWith('.mat') ? readMatMask : readMask)(bytes, path),
  };
}
