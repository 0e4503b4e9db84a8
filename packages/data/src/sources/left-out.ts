/** Notes on what a source leaves out, in one form for all kinds: how many, what, an example, and what to do. */

import type { ImageSource } from '../images/image-source';

/** Names that share a reason to be left out: how many, and the first. */
export interface LeftOut {
  readonly count: number;
  readonly example: string;
}

/** The names of some files as what was left out; undefined for none. */
export const leftOut = ([example, ...others]: readonly string[]): LeftOut | undefined =>
  example === undefined ? undefined : { count: others.length + 1, example };

/** Several findings of one kind as one; undefined for none. */
export function sumLeftOut(parts: readonly (LeftOut | undefined)[]): LeftOut | undefined {
  const found = parts.filter((part) => part !== undefined);
  return found.length === 0
    ? undefined
    : { count: found.reduce((sum, { count }) => sum + count, 0), example: found[0]!.example };
}

/** The note on it, as a list that is empty where nothing was left out. */
export function leftOutNotes(what: string, found: LeftOut | undefined, advice = ''): string[] {
  return found ? [`${found.count} ${what}, e.g. ${found.example}${advice && `: ${advice}`}`] : [];
}

/** Hidden names and the traces of systems among pictures. */
export const passedOverNotes = (found: LeftOut | undefined): string[] =>
  leftOutNotes('hidden names or traces of a system are passed over', found);

/** Pictures of types that cannot be read. */
export const unusableNotes = (found: LeftOut | undefined): string[] =>
  leftOutNotes('pictures are of types that are not used', found, 'convert them to JPEG or PNG');

/** Members of an archive whose names come again in it. */
export const repeatedNotes = (found: LeftOut | undefined): string[] =>
  leftOutNotes('members come again under the same name, and the last one is used', found);

/** The source with these notes before its own. */
export const withNotes = (source: ImageSource, notes: readonly string[]): ImageSource =>
  notes.length === 0 ? source : { ...source, notes: [...notes, ...(source.notes ?? [])] };
