/** Options of commands that read data with boxes. */
import type { Command } from 'commander';
import { positiveInteger } from '../options/option-values';

/** Adds what says which pictures and boxes of the data are meant. */
export const withBoxes = (command: Command): Command =>
  command
    .option('--pictures <n>', 'at most so many, evenly spaced', positiveInteger)
    .option('--year <year>', 'of PASCAL VOC, where there are several', positiveInteger)
    .option('--part <name>', 'list of PASCAL VOC below ImageSets/Main (default: trainval)')
    .option('--no-hard', 'leave out objects of PASCAL VOC that are truncated or difficult')
    .option('--annotations <file>', "annotations of COCO's form, a path in the data")
    .option(
      '--list <file>',
      'names or numbers of the pictures of COCO that are meant (default: coco_20k_filenames.txt)',
    );
