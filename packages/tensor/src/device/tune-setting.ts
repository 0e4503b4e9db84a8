/** What FRANCA_TUNE says: the one place that decides whether kernels are measured by themselves, and where their choices are kept. */
import { statSync } from 'node:fs';
import { TensorError } from '../base/errors';

/**
 * The file for measured choices: `normal` where the variable is not set, undefined where it says `off`.
 * @throws TensorError options for what is neither `off` nor a file of JSON
 */
export function tuneSetting(value: string | undefined, normal: string): string | undefined {
  if (value === undefined) return normal;
  if (value.toLowerCase() === 'off') return undefined;
  const meant =
    'set it to off to measure no kernels, or to a file for measured choices that ends in .json, or unset it';
  if (!value.endsWith('.json')) throw new TensorError('options', `FRANCA_TUNE is ${JSON.stringify(value)}; ${meant}`);
  if (statSync(value, { throwIfNoEntry: false })?.isDirectory())
    throw new TensorError('options', `FRANCA_TUNE is the folder ${value}; ${meant}`);
  return value;
}
