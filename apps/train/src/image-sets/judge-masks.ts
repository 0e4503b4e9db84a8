/** Whether the masks of a set can be what they are taken for: what their values, forms and sizes give away, refused or noted. */
import { TrainError } from '../errors';
import type { ImageSet } from './image-set';
import { type MaskValues, STRAY, VOID } from './mask-values';
import type { MaskForm } from './read-mask';

/** What was counted over all masks of a set. */
export interface MaskCounts {
  /** Masks read. */
  readonly masks: number;
  /** Pixels of each value [65536], and the image that has it first. */
  readonly pixels: Float64Array;
  readonly first: Int32Array;
  /** Masks of each form. */
  readonly forms: ReadonlyMap<MaskForm, number>;
  /** Masks of other proportions than their pictures, in words. */
  readonly misshapen: readonly string[];
  /** Masks that fit their pictures when turned by a quarter, in words. */
  readonly turned: readonly string[];
}

/** Above this share of pixels that are not scored, somebody has to say that it is meant. */
const MAX_VOID = 0.5;
const NAMED = 3;

/**
 * Notes on masks that can be scored.
 * @throws TrainError `data` where they can not
 */
export function judgeMasks(set: ImageSet, counts: MaskCounts, table: Int16Array, options: MaskValues): string[] {
  const where = `${set.dataset} ${set.split}`;
  const values = Array.from(counts.pixels.keys()).filter((value) => counts.pixels[value]! > 0);
  refuseStray(set, counts, { table, values, where });
  refuseSenseless(set, counts, { table, values, where }, options);
  const share = `of ${counts.masks} masks of ${where}`;
  if (counts.turned.length > 0)
    throw new TrainError(
      'data',
      `${counts.turned.length} ${share} fit their pictures when turned by a quarter only: ${some(counts.turned)}; pictures are read without ` +
        'their EXIF orientation: write them upright or turn the masks',
    );
  return [
    ...voidNotes(set, counts, { table, values, where }),
    ...absentNotes(set, counts, { table, values, where }),
    ...formNotes(counts, where),
    ...(counts.misshapen.length > 0
      ? [
          `${counts.misshapen.length} ${share} have other proportions than their pictures: ${some(counts.misshapen)}; both are squashed to a ` +
            'square and fit only if each shows the whole scene',
        ]
      : []),
  ];
}

interface Reading {
  readonly table: Int16Array;
  /** Those that occur. */
  readonly values: readonly number[];
  readonly where: string;
}

function refuseStray(set: ImageSet, { pixels, first }: MaskCounts, { table, values, where }: Reading): void {
  const stray = values.filter((value) => table[value] === STRAY);
  if (stray.length === 0) return;
  const all = pixels.reduce((sum, count) => sum + count, 0);
  const told = stray.map(
    (value) => `${value} (${percent(pixels[value]! / all)} of the pixels, first in ${set.key(first[value]!)})`,
  );
  const scored = values.filter((value) => table[value] !== VOID);
  const example =
    scored.length === set.classes.length ? scored : set.classes.length === values.length ? values : undefined;
  throw new TrainError(
    'data',
    `masks of ${where} have values that mean none of its ${set.classes.length} classes${voidWords(table)}: ${some(told)}; give the value of ` +
      `each class, in the order of the classes, as --mask-values${example ? `, perhaps ${example.join()}` : ''}, and one that is not to be ` +
      'scored as --void; or correct classes or masks',
  );
}

function refuseSenseless(
  { classes, values: told }: ImageSet,
  { pixels, masks }: MaskCounts,
  { table, values, where }: Reading,
  { void: stated }: MaskValues,
): void {
  const scored = values.filter((value) => table[value]! >= 0);
  const unscored = values.filter((value) => table[value] === VOID);
  const sum = (some: readonly number[]): number => some.reduce((total, value) => total + pixels[value]!, 0);
  const voidShare = sum(unscored) / Math.max(1, sum(values));
  const ifClass =
    unscored.length > 0 ? `; if ${unscored[0]} is a class, give the value of each class in order as --mask-values` : '';
  const example = ifClass && values.length === classes.length ? ` ${values.join()}` : '';
  if (scored.length === 0)
    throw new TrainError(
      'data',
      `no pixel of ${masks} masks of ${where} is of a class: all are void (${unscored.join()})${ifClass}${example}`,
    );
  if (scored.length === 1) {
    const only = table[scored[0]!]!;
    throw new TrainError(
      'data',
      `every scored pixel of ${masks} masks of ${where} is of class ${only} (${classes[only]}); the rest, ${percent(voidShare)}, is void; ` +
        `there is nothing to tell apart${ifClass || '; give the value of each class in order as --mask-values, or more images'}${example}`,
    );
  }
  if (voidShare >= MAX_VOID && stated === undefined && !told)
    throw new TrainError(
      'data',
      `${percent(voidShare)} of the pixels of ${masks} masks of ${where} are void (${unscored.join()}) and would not be scored${ifClass}${example}; ` +
        `if it is meant, say so with --void ${unscored[0]}`,
    );
}

/** Where the layout says which values are not scored, their share is told in place of being refused. */
function voidNotes(
  { values: told }: ImageSet,
  { pixels, masks }: MaskCounts,
  { table, values, where }: Reading,
): string[] {
  const sum = (some: readonly number[]): number => some.reduce((total, value) => total + pixels[value]!, 0);
  const share = sum(values.filter((value) => table[value] === VOID)) / Math.max(1, sum(values));
  return told && share > 0
    ? [`${percent(share)} of the pixels of ${masks} masks of ${where} are of no class that is scored`]
    : [];
}

/** Whether each class has a pixel. */
export function occurring(classes: readonly string[], pixels: Float64Array, table: Int16Array): boolean[] {
  const occurs = classes.map(() => false);
  for (const [value, c] of table.entries()) if (c >= 0 && pixels[value]! > 0) occurs[c] = true;
  return occurs;
}

function absentNotes({ classes }: ImageSet, { pixels }: MaskCounts, { table, values, where }: Reading): string[] {
  const occurs = occurring(classes, pixels, table);
  const absent = classes.filter((_, c) => !occurs[c]);
  if (absent.length === 0) return [];
  const voided = values.find((value) => table[value] === VOID);
  return [
    `${absent.length} of ${classes.length} classes occur in no scored pixel of ${where}: ${some(absent)}; a mean over all classes counts each ` +
      'as 0, one with --absent skip leaves it out unless it is predicted; if its pixels have another value' +
      `${voided === undefined ? '' : `, perhaps ${voided}, which is void now`}, give --mask-values`,
  ];
}

function formNotes({ forms }: MaskCounts, where: string): string[] {
  const kinds = [...forms.keys()];
  const narrow = kinds.filter((form) => /^\d-bit/.test(form));
  const listed = [...forms].map(([form, count]) => `${form} ${count}`).join(', ');
  if (narrow.length > 0 && kinds.some((form) => form !== 'palette' && !narrow.includes(form)))
    throw new TrainError(
      'data',
      `masks of ${where} are gray images of several depths (${listed}), whose values need not mean the same; write all with 8 bits`,
    );
  return [
    ...(kinds.length > 1 ? [`masks of ${where} are stored in several forms: ${listed}`] : []),
    ...narrow.map((form) => `masks of ${where} in ${form} are read as the values that are stored, not scaled to 255`),
    ...(forms.has('gray as RGB')
      ? [`masks of ${where} are stored as RGB; the one value of their equal channels is read`]
      : []),
  ];
}

function voidWords(table: Int16Array): string {
  const value = table.indexOf(VOID);
  return value < 0 ? '' : ` and are not the void one (${value})`;
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;

/** The first few, and how many more there are. */
export const some = (words: readonly string[]): string =>
  words.slice(0, NAMED).join(', ') + (words.length > NAMED ? ` and ${words.length - NAMED} more` : '');
