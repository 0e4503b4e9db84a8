/**
 * One list of classes for both parts of a data set: the training part's, matched by name, whatever the parts are made of.
 *
 * An image of the validation part has a label only if the training part has images of its class, as no other class can be
 * predicted. The others keep the names of their classes (`unlistedClass`), and words say how many there are.
 */

import { checkArgument } from '../errors';
import { type ClassCounts, checkSource, type ImageSource } from '../images/image-source';
import { count, some } from './labels';

export interface SharedClasses {
  readonly part: ImageSource;
  /** What does not match, in words. */
  readonly notes: readonly string[];
}

/** Gives the validation part, or one of another name, the class list of the training part. */
export function shareClasses(train: ImageSource, val: ImageSource, name = 'validation'): SharedClasses {
  checkSource('shareClasses', train);
  checkSource('shareClasses', val);
  checkArgument('shareClasses', 'name', name, 'string');
  const { classes } = train;
  // where an image has several classes there is nothing to match: the parts are those of one published set
  if (train.labels) return { part: val, notes: [] };
  if (!classes || !val.classes) return { part: val, notes: unlabelledParts(train, val, name) };
  const trained = tally(train);
  const same = sameNames(classes, val.classes);
  const positions = new Map(classes.map((name, at) => [name, at]));
  const position = (index: number): number | undefined => {
    const own = val.label?.(index);
    const at = own === undefined || same ? own : positions.get(val.classes![own]!);
    return at === undefined || trained.perClass[at] === 0 ? undefined : at;
  };
  const { classTitles, classCounts: _, ...rest } = val;
  const shared: ImageSource = {
    ...rest,
    classes,
    ...(train.classTitles && { classTitles: train.classTitles }),
    label: position,
    unlistedClass: (index) => {
      if (position(index) !== undefined) return undefined;
      const own = val.label?.(index);
      return own === undefined ? val.unlistedClass?.(index) : val.classes![own];
    },
  };
  return { part: shared, notes: describeClasses({ ...trained, classes }, tally(shared), { name, source: val.name }) };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

interface Tally extends ClassCounts {
  readonly length: number;
  /** The first image without a class. */
  readonly example: string | undefined;
}

function tally(source: ImageSource): Tally {
  const { length } = source;
  const counts = source.classCounts ?? countOneByOne(source);
  if (counts.unlabelled === 0) return { ...counts, length, example: undefined };
  let first = 0;
  while (source.label?.(first) !== undefined || source.unlistedClass?.(first) !== undefined) first++;
  return { ...counts, length, example: source.key(first) };
}

/** Counts by a look at every image. */
export function countOneByOne(source: ImageSource): ClassCounts {
  const perClass: number[] = new Array(source.classes?.length ?? 0).fill(0);
  const unlisted = new Map<string, number>();
  let unlabelled = 0;
  for (let index = 0; index < source.length; index++) {
    const label = source.label?.(index);
    const other = label === undefined ? source.unlistedClass?.(index) : undefined;
    if (label !== undefined) perClass[label]!++;
    else if (other !== undefined) unlisted.set(other, (unlisted.get(other) ?? 0) + 1);
    else unlabelled++;
  }
  return { perClass, unlisted, unlabelled };
}

function describeClasses(
  train: Tally & { readonly classes: readonly string[] },
  test: Tally,
  { name, source }: { readonly name: string; readonly source: string },
): string[] {
  const notes = [unlabelledNote('training', train), unlabelledNote(name, test)].filter((each) => each !== undefined);
  const used = train.classes.filter((_, at) => train.perClass[at]! > 0);
  const onlyTrain = train.classes.filter((_, at) => train.perClass[at]! > 0 && test.perClass[at] === 0);
  const left = [...test.unlisted.values()].reduce((sum, n) => sum + n, 0);
  const names = some([...test.unlisted].map(([name, n]) => `${name} (${n})`));
  if (onlyTrain.length === used.length && left > 0)
    return [...notes, `no class is common to both parts: training has ${some(used)}; ${name} (${source}) has ${names}`];
  if (left > 0)
    notes.push(
      `${left} of ${count(test.length, 'image', 'images')} of the ${name} part are of ` +
        `${count(test.unlisted.size, 'class', 'classes')} without training images and cannot be predicted: ${names}; ` +
        'labelled evaluations leave them out',
    );
  if (onlyTrain.length > 0 && onlyTrain.length < used.length)
    notes.push(`${onlyTrain.length} of ${used.length} classes have no image in the ${name} part: ${some(onlyTrain)}`);
  return notes;
}

const unlabelledNote = (part: string, { unlabelled, length, example }: Tally): string | undefined =>
  unlabelled > 0 ? `${unlabelled} of ${length} images of the ${part} part have no class, e.g. ${example}` : undefined;

/** Why there is nothing to match. Without a word on classes in either part there is nothing to say. */
function unlabelledParts(train: ImageSource, val: ImageSource, name: string): string[] {
  if (train.whyUnlabelled && train.whyUnlabelled === val.whyUnlabelled)
    return [`the images have no classes: ${train.whyUnlabelled}`];
  const told = [
    ['training', train],
    [name, val],
  ] as const;
  return told.flatMap(([part, source]) => {
    const other = source === train ? val : train;
    if (source.classes || !(source.whyUnlabelled || other.classes)) return [];
    return [
      `the ${part} part has no classes${source.whyUnlabelled ? `: ${source.whyUnlabelled}` : ` (${source.name})`}`,
    ];
  });
}
