/** What devkits keep in MATLAB files: numbers and texts of variables and of structure arrays, checked. */

import path from 'node:path';
import { DataError } from '../../errors';
import { openLocalFile } from '../../files/byte-file';
import { isFile } from '../../files/is-file';
import { type MatStructs, type MatValue, readMatFile } from '../../formats/mat-file';

/** Many times the largest devkit. */
const MAX_BYTES = 64 * 2 ** 20;

export type MatRecord = MatStructs['records'][number];

/** One variable of a file. */
export interface MatVariable {
  readonly file: string;
  readonly name: string;
  readonly value: MatValue | undefined;
}

/** The variables of a file by name. @throws DataError not-found, damaged-file, unsupported-format */
export async function readDevkit(file: string, comes: string): Promise<(name: string) => MatVariable> {
  if (!(await isFile(file))) throw new DataError('not-found', `${file} is not there; it comes ${comes}`);
  const opened = await openLocalFile(file);
  if (opened.size > MAX_BYTES) throw new DataError('damaged-file', `${file}: ${opened.size} bytes is no devkit`);
  const variables = readMatFile(await opened.read(0, opened.size), file);
  return (name) => ({ file, name, value: variables[name] });
}

const refused = ({ file, name }: MatVariable, what: string): DataError =>
  new DataError('damaged-file', `${file}: ${name} ${what}; download the file anew`);

/** A variable of whole numbers from `least` to `most`. */
export function integersIn(variable: MatVariable, least: number, most: number): number[] {
  if (variable.value?.kind !== 'numbers') throw refused(variable, 'is no matrix of numbers');
  const numbers = Array.from(variable.value.values);
  const wrong = numbers.find((value) => !(Number.isInteger(value) && value >= least && value <= most));
  if (wrong !== undefined) throw refused(variable, `holds ${wrong}, which is no number from ${least} to ${most}`);
  return numbers;
}

/** A variable of texts in cells. */
export function textsIn(variable: MatVariable): string[] {
  if (variable.value?.kind !== 'cells') throw refused(variable, 'is no list of texts');
  return variable.value.cells.map((cell, at) => {
    const text = textOf(cell);
    if (text === undefined) throw refused(variable, `holds no text in place ${at + 1}`);
    return text;
  });
}

/** What a function makes of each structure of a variable. It gives undefined for one that it cannot use. */
export function recordsIn<Result>(variable: MatVariable, read: (record: MatRecord) => Result | undefined): Result[] {
  if (variable.value?.kind !== 'structs') throw refused(variable, 'is no array of structures');
  return variable.value.records.map((record, at) => {
    const result = read(record);
    if (result === undefined) throw refused(variable, `cannot be used in place ${at + 1}`);
    return result;
  });
}

/** One text. */
const textOf = (value: MatValue | undefined): string | undefined =>
  value?.kind === 'text' && value.rows.length === 1 ? value.rows[0] : undefined;

/** The name of a file, which leads to no other folder. */
export function fileNameOf(value: MatValue | undefined): string | undefined {
  const name = textOf(value);
  const plain = name !== undefined && name !== '' && name === path.basename(name) && !/[/\\\0]|^\.\.?$/.test(name);
  return plain ? name : undefined;
}

/** One whole number from `least` to `most`. */
export function integerOf(value: MatValue | undefined, least: number, most: number): number | undefined {
  const number = value?.kind === 'numbers' && value.values.length === 1 ? value.values[0]! : undefined;
  return number !== undefined && Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}
