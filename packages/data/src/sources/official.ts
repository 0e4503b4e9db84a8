/** The data sets of the official strings: ImageNet, ImageNet-22k, and LAION, which is a folder of tar shards. */

import type { ImageSource } from '../images/image-source';
import { archivesAt } from './archives';
import { looksLikeDatasetString, parseDatasetString } from './dataset-string';
import { imageNet22kSource } from './imagenet22k';
import { withNotes } from './left-out';
import type { OpenOptions, SourceKind } from './source-kind';
import { splitFolderSource } from './split-folders';
import { shardOptions, webDatasetSource } from './webdataset';

export const officialKind: SourceKind<'official'> = {
  kind: 'official',
  says: 'an official string such as ImageNet:split=TRAIN:root=/data',
  labels: 'class folders; ImageNet22k: one tar per class',
  prefixed: false,
  ofText: (text) => (looksLikeDatasetString(text) ? 'it is an official data set string' : undefined),
  open: openOfficial,
  validation: (target, part) => {
    const { name, split } = parseDatasetString(target);
    // The last of a repeated key wins.
    return name === 'ImageNet' && split === 'train' ? `${target}:split=${part.toUpperCase()}` : undefined;
  },
};

async function openOfficial(text: string, options: OpenOptions): Promise<ImageSource> {
  const { name, root, split, extra } = parseDatasetString(text);
  switch (name) {
    case 'ImageNet':
      return splitFolderSource(root, split);
    case 'ImageNet22k':
      return imageNet22kSource(root, { extra, signal: options.signal });
    case 'LAION': {
      const { files, notes } = await archivesAt(root, '.tar');
      return withNotes(await webDatasetSource(files, shardOptions(options)), notes);
    }
  }
}
