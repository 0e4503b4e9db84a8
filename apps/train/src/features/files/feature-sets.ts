/** Files of features as the parts of a data set of their own: names and classes are those in the files, and there are no pictures. */
import { basename, dirname } from 'node:path';
import { type ImageSource, shareClasses } from '@franca/data';
import { TrainError } from '../../errors';
import { type ImageSets, imageSet, type SetLimits, spread } from '../../image-sets/image-set';
import { type FeatureFile, rowName } from './feature-file';

/** @throws TrainError `usage` unless there is a file of training images and one of others */
export function featureSets(
  files: readonly FeatureFile[],
  { limits = {}, name }: { readonly limits?: SetLimits; readonly name?: string | undefined } = {},
): ImageSets {
  const [train, test, ...others] = files;
  if (!train || !test || others.length > 0)
    throw new TrainError(
      'usage',
      `${files.map(({ path }) => path).join(', ')}: without --data there are to be two files, of training and test images, as train.npz,test.npz`,
    );
  const shared = shareClasses(sourceOf(train), sourceOf(test), 'test');
  const named = { dataset: name ?? test.said.dataset ?? pathName(test.path), notes: shared.notes };
  return {
    train: spread(imageSet(sourceOf(train), { ...named, split: 'train' }), limits.train),
    test: spread(imageSet(shared.part, { ...named, split: test.said.split ?? 'test' }), limits.test),
    close: async () => {},
  };
}

/** Folder and file without its ending. */
const pathName = (path: string): string => [basename(dirname(path)), basename(path).replace(/\.\w+$/, '')].join('/');

function sourceOf(file: FeatureFile): ImageSource {
  const { path, rows, names, labelled, hash } = file;
  return {
    name: path,
    length: rows,
    key: (row) => names?.[row] ?? rowName(file, row),
    version: (row) => `${hash} row ${row}`,
    ...(labelled
      ? {
          classes: labelled.classes,
          label: (row: number) => (labelled.labels[row]! < 0 ? undefined : labelled.labels[row]),
        }
      : { whyUnlabelled: `${path} has no labels; give them in it, as "labels", or name the images with --data` }),
    read: () => Promise.reject(new TrainError('data', `${path} holds features and no pictures; name them with --data`)),
  };
}
