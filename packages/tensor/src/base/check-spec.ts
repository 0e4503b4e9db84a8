/** Whether shape and element type of a tensor are possible, asked wherever a program states them. */
import { BYTES_PER_ELEMENT, type DType } from './dtype';
import { TensorError } from './errors';
import type { Shape } from './shape';

/** Throws `TensorError`, `dtype` or `shape`, where `what` cannot be a tensor. */
export function checkSpec(what: string, { shape, dtype }: { readonly shape: Shape; readonly dtype: DType }): void {
  if (!Object.hasOwn(BYTES_PER_ELEMENT, dtype))
    throw new TensorError(
      'dtype',
      `${what} has dtype ${JSON.stringify(dtype)}; there are ${Object.keys(BYTES_PER_ELEMENT).join(', ')}`,
    );
  checkShape(what, shape);
}

/** Throws `TensorError` with code `shape` unless `shape` is a list of whole numbers from 0. */
export function checkShape(what: string, shape: Shape): void {
  if (Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) return;
  throw new TensorError(
    'shape',
    `${what} has shape ${JSON.stringify(shape)}; a shape is a list of whole numbers, [] for a scalar`,
  );
}
