/** Values of options, checked as they are read from the command line. Each throws commander's `InvalidArgumentError`. */
import { InvalidArgumentError } from 'commander';

/** A whole number of at least `least`. */
function integer(text: string, least: number): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number) || number < least)
    throw new InvalidArgumentError(`expected a whole number of at least ${least}`);
  return number;
}

export const positiveInteger = (text: string): number => integer(text, 1);

/** A whole number of either sign. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number)) throw new InvalidArgumentError('expected a whole number');
  return number;
}

export function finiteNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('expected a number');
  return number;
}

export function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(Number.isFinite(number) && number > 0)) throw new InvalidArgumentError('expected a positive number');
  return number;
}

/** GB as bytes. */
export const gigabytes = (text: string): number => 1e9 * positiveNumber(text);

/** A number from 0 to 1. */
export function shareOfAll(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1');
  return share;
}

/** A number above 0, at most 1. */
export function positiveShare(text: string): number {
  const share = positiveNumber(text);
  if (share > 1) throw new InvalidArgumentError('expected a number above 0, at most 1');
  return share;
}

/** `0.1,0.5` as positive numbers. */
export const numberList = (text: string): number[] => text.split(',').map(positiveNumber);

/** `10,20` as whole numbers of at least 1. */
export const integerList = (text: string): number[] => text.split(',').map(positiveInteger);

export const index = (text: string): number => integer(text, 0);

/** `0,1,2` as whole numbers of at least 0. */
export const indexList = (text: string): number[] => text.split(',').map(index);

/** `a,b` as some of `known`, each once. */
export const someOf =
  <T extends string>(known: readonly T[]) =>
  (text: string): T[] => {
    const names = text.split(',').map((name) => known.find((each) => each === name.trim()));
    if (names.includes(undefined) || new Set(names).size < names.length)
      throw new InvalidArgumentError(`expected some of ${known.join(', ')}, each once, with commas between them`);
    return names.filter((name) => name !== undefined);
  };

/** `1/8,1/64` as the numbers of parts of which one is taken. */
export const shareList = (text: string): number[] =>
  text.split(',').map((share) => {
    const parts = /^1\/(\d+)$/.exec(share.trim())?.[1];
    if (parts === undefined || Number(parts) < 2) throw new InvalidArgumentError('expected shares such as 1/8,1/64');
    return integer(parts, 2);
  });

/** `a.txt,b.txt` as file names. */
export function fileList(text: string): string[] {
  const files = text.split(',');
  if (files.includes('')) throw new InvalidArgumentError('expected names of files, with a comma between them');
  return files;
}

/** `2000,500` as two whole numbers of at least 1, for train and test. */
export function trainTest(text: string): { readonly train: number; readonly test: number } {
  const [train, test, ...more] = integerList(text);
  if (train === undefined || test === undefined || more.length > 0)
    throw new InvalidArgumentError('expected two whole numbers, for train and test');
  return { train, test };
}

/** Repeated `name=data` as one record. */
export function namedData(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, data] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || data === undefined) throw new InvalidArgumentError('expected name=data');
  return { ...earlier, [name]: data };
}
