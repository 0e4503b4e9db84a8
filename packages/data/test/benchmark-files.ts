/** Published data sets in the files of their authors, with few and tiny images: one function per set writes its tree into a folder. */

import { writeFiles } from './scratch';

type Files = Record<string, string | Uint8Array>;

/** How many images of each class stand in a part. */
export interface FewImages {
  readonly classes?: readonly string[];
  readonly train?: number;
  readonly val?: number;
  readonly test?: number;
  /** The bytes of an image; default text that no decoder takes. `path` is that of the file. */
  readonly image?: (path: string, label: number) => string | Uint8Array;
}

const NO_IMAGE = (path: string): string => `image ${path}`;
const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
/** `count` images of each class: the label of each, and its number within the class. */
const each = (classes: number, count: number): [label: number, number: number][] =>
  Array.from({ length: classes * count }, (_, i) => [Math.floor(i / count), i % count]);

/** Food-101: `images/`, `meta/`. */
export function writeFood101(root: string, options: FewImages = {}): void {
  const { classes = ['apple_pie', 'baby_back_ribs', 'waffles'], train = 3, test = 1, image = NO_IMAGE } = options;
  const files: Files = {
    'meta/classes.txt': lines(classes),
    'meta/labels.txt': lines(classes.map((name) => name[0]!.toUpperCase() + name.slice(1).replaceAll('_', ' '))),
  };
  for (const [part, count, first] of [
    ['train', train, 1000],
    ['test', test, 9000],
  ] as const) {
    const listed = each(classes.length, count).map(([label, at]) => ({
      label,
      name: `${classes[label]}/${first + at}`,
    }));
    files[`meta/${part}.txt`] = lines(listed.map(({ name }) => name));
    for (const { label, name } of listed) files[`images/${name}.jpg`] = image(`images/${name}.jpg`, label);
  }
  writeFiles(root, files);
}
