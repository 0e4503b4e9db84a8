/**
 * DAVIS as it unpacks (Pont-Tuset et al., 2017):
 *
 *   ImageSets/<year>/<split>.txt           names of sequences, one a line
 *   JPEGImages/<resolution>/<sequence>/%05d.jpg
 *   Annotations/<resolution>/<sequence>/%05d.png   palette PNGs whose indices are the ids of objects; of test sets the first frame only
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { some } from './judge-masks';
import { framesIn } from './video-frames';
import type { ListedVideos } from './video-listed';

export interface DavisOptions {
  /** Name of a list; default `val`. */
  readonly split?: string | undefined;
  /** Folder of pictures and masks; default `480p`, or the only one. */
  readonly resolution?: string | undefined;
}

const USUAL = '480p';
const YEAR = '2017';

/** Whether there are lists, and pictures in folders of resolutions: those of PASCAL VOC, which has such folders too, lie side by side. */
export const isDavis = (tree: FileTree): boolean =>
  tree.has('ImageSets') && tree.has('Annotations') && resolutions(tree).length > 0;

/** @throws TrainError `usage` where there is no such list or resolution, `data` where a sequence of the list, or a frame of a mask, is not there */
export async function davisVideos(tree: FileTree, { split = 'val', resolution }: DavisOptions): Promise<ListedVideos> {
  const folder = chosenResolution(tree, resolution);
  const list = listPath(tree, split);
  const text = Buffer.from(await tree.read(list)).toString('utf8');
  const names = [...new Set(text.split(/\r?\n/).map((line) => line.trim()))].filter((line) => line !== '');
  const pictures = `JPEGImages/${folder}`;
  const missing = names.filter((name) => !tree.has(`${pictures}/${name}`));
  if (missing.length > 0)
    throw new TrainError(
      'data',
      `${missing.length} of ${names.length} sequences of ${list} are not in ${tree.name}/${pictures}: ${some(missing)}; complete the data, or name sequences with --sequences of a list that is complete`,
    );
  const sequences = names.map((name) => ({
    name,
    frames: framesIn(tree, `${pictures}/${name}`, `Annotations/${folder}/${name}`),
  }));
  const year = list.split('/')[1]!;
  const notes = folder === USUAL ? [] : [`pictures and masks of ${folder} in place of ${USUAL}`];
  return { dataset: `davis-${year}`, split, sequences, scoring: 'davis-2017', notes };
}

const resolutions = (tree: FileTree): string[] =>
  tree
    .names('JPEGImages')
    .filter((name) => tree.names(`JPEGImages/${name}`).length > 0 && tree.has(`Annotations/${name}`));

function chosenResolution(tree: FileTree, asked: string | undefined): string {
  const all = resolutions(tree);
  const folder = asked ?? (all.includes(USUAL) ? USUAL : all[0]);
  if (folder !== undefined && all.includes(folder) && (asked !== undefined || folder === USUAL || all.length === 1))
    return folder;
  throw new TrainError(
    'usage',
    `${tree.name} has pictures and masks of ${all.join(', ') || 'no resolution'}; name one of them with --resolution`,
  );
}

/** Of 2017 where it has such a list, else of the latest year. */
function listPath(tree: FileTree, split: string): string {
  const years = [...tree.names('ImageSets')].sort().reverse();
  const paths = [YEAR, ...years].map((year) => `ImageSets/${year}/${split}.txt`);
  const path = paths.find((one) => tree.has(one));
  if (path !== undefined) return path;
  const lists = tree.list('ImageSets').filter((file) => file.endsWith('.txt'));
  throw new TrainError(
    'usage',
    `${tree.name} has no list ${split}; --split is one of ${
      lists
        .map((file) =>
          file
            .split('/')
            .at(-1)!
            .replace(/\.txt$/, ''),
        )
        .join(', ') || 'none'
    }`,
  );
}
