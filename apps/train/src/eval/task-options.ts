/** Values of task options, checked as they are read from the command line. */
import { InvalidArgumentError } from 'commander';

/** `10,20` as positive numbers. */
export function numberList(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.some((number) => !(Number.isFinite(number) && number > 0)))
    throw new InvalidArgumentError('expected positive numbers with commas between them');
  return numbers;
}

/** `0,1,2` as integers from 0. */
export function indexList(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.some((number) => !(Number.isInteger(number) && number >= 0)))
    throw new InvalidArgumentError('expected integers from 0 with commas between them');
  return numbers;
}

export function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(Number.isFinite(number) && number > 0)) throw new InvalidArgumentError('expected a positive number');
  return number;
}

/** Repeated `name=data` as one record. */
export function namedData(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, data] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || data === undefined) throw new InvalidArgumentError('expected name=data');
  return { ...earlier, [name]: data };
}
