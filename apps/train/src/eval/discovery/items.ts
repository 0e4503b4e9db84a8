/** Everything that is known of each picture and setting, one line of JSON each. */
import { writeFileAtomic } from '@franca/checkpoint';
import type { BoxSet } from '../../image-sets/box-set';
import type { Scored, ScoredPicture } from './score';
import type { Setting } from './settings';

/** Lines in the order of the pictures' names, settings in theirs. @throws CheckpointError as `writeFileAtomic` */
export async function writeItems(path: string, set: BoxSet, scored: readonly Scored[]): Promise<void> {
  const names = scored[0]?.pictures.map(({ index }, at) => ({ key: set.key(index), at })) ?? [];
  names.sort((a, b) => (a.key < b.key ? -1 : 1));
  await writeFileAtomic(path, async (sink) => {
    for (const { key, at } of names)
      for (const { setting, pictures } of scored)
        await sink(Buffer.from(`${JSON.stringify(lineOf(key, setting, pictures[at]!))}\n`));
  });
}

function lineOf(picture: string, setting: Setting, { found, box, otherBoxes, truth, iou, hit }: ScoredPicture) {
  const { seed, tiedSeeds, detail } = found;
  return { picture, ...setting, box, otherBoxes, seed, tiedSeeds, ...detail, truth, iou, hit };
}
