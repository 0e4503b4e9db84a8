/**
 * Any folder of images, nested as deep as it likes.
 *
 * When every image lies in one of at least two folders below the root (folders that all images share are passed through
 * first), those folders are the classes, in sorted order. Otherwise the images have no classes; where some lie beside such
 * folders, the source says so (`whyUnlabelled`).
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { hasImageExtension, IMAGE_EXTENSIONS, UNUSED_IMAGE_EXTENSIONS } from '../images/image-format';
import type { ImageSource } from '../images/image-source';
import { imageFiles } from './image-files';
import { folderLabels } from './labels';
import { leftOut, leftOutNotes, passedOverNotes } from './left-out';
import type { SourceKind } from './source-kind';
import { type FoundFiles, walkImages } from './walk-images';

export interface FolderOptions {
  /** `auto` takes folders for classes where they look like it; `none` never does. Default `auto`. */
  readonly labels?: 'auto' | 'none';
  /** Fixes the class list, e.g. to the one of the training folder. Images of other folders get no label but an unlisted class. */
  readonly classes?: readonly string[] | undefined;
}

const OPTIONS: OptionKinds<FolderOptions> = { labels: ['auto', 'none'], classes: 'strings' };

export const folderKind: SourceKind<'folder'> = {
  kind: 'folder',
  says: 'a folder of images',
  labels: 'class folders',
  prefixed: true,
  ofFolder: ({ nested, hasParts, taken }) =>
    !hasParts && (nested.some(hasImageExtension) || !taken) ? 'holds images' : undefined,
  open: (target, { classes }) => folderSource(target, { classes }),
  validation: 'held out',
};

/**
 * Opens a folder of images.
 * @throws DataError not-found when there is no such folder, empty-source when it holds no image
 */
export async function folderSource(root: string, options: FolderOptions = {}): Promise<ImageSource> {
  checkArgument('folderSource', 'root', root, 'string');
  checkOptions('folderSource', options, OPTIONS);
  const found = await walkImages(root);
  if (found.unreadable.includes('.')) throw new DataError('not-found', `${root} is not a folder that can be read`);
  const { files } = found;
  if (files.length === 0) throw emptyFolder(root, found);
  const labels = options.labels === 'none' ? undefined : folderLabels(files, options.classes);
  const notes = describeOthers(found);
  return {
    ...imageFiles(`folder ${root}`, root, files),
    ...labels,
    ...(notes.length > 0 && { notes }),
  };
}

function emptyFolder(root: string, { others, passedOver }: FoundFiles): DataError {
  const kinds = [...others].map(([extension, count]) => `${count} ${extension}`).join(', ');
  const parts = [
    `${root} holds no image (${IMAGE_EXTENSIONS.join(', ')})`,
    ...(kinds ? [`it holds ${kinds}`] : []),
    ...passedOverNotes(leftOut(passedOver)),
  ];
  return new DataError('empty-source', parts.join('; '));
}

const TELLING = new Set(UNUSED_IMAGE_EXTENSIONS.map((extension) => `.${extension}`));

/** Tells of pictures that are there but cannot be used. */
function describeOthers({ others, unreadable, passedOver }: FoundFiles): string[] {
  const unusable = [...others]
    .filter(([extension]) => TELLING.has(extension))
    .map(([extension, count]) => `${count} ${extension} files are not used: convert them to JPEG or PNG`);
  return [
    ...unusable,
    ...leftOutNotes('files, folders or links could not be read', leftOut(unreadable)),
    ...passedOverNotes(leftOut(passedOver)),
  ];
}
