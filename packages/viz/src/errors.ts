/**
 * What went wrong in a figure, as a code for programs, and the checks that refuse bad input.
 *
 * `shape`, `options`, `not-finite` (NaN or infinity where a number is needed), `cannot-render`.
 */
export type VizErrorCode = 'shape' | 'options' | 'not-finite' | 'cannot-render';

/** The error of `@franca/viz`: says what was given, what was expected and how to fix it. */
export class VizError extends Error {
  readonly code: VizErrorCode;

  constructor(code: VizErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VizError';
    this.code = code;
  }
}

/** Throws `shape` unless `data` holds exactly the product of `shape` values. */
export function checkLength(what: string, data: ArrayLike<number>, shape: readonly number[]): void {
  for (const size of shape) checkCount(`${what}: a side of its shape [${shape.join(', ')}]`, size);
  const expected = shape.reduce((product, size) => product * size, 1);
  if (data.length !== expected) {
    const message = `${what} has ${data.length} values, but its shape [${shape.join(', ')}] needs ${expected}`;
    throw new VizError('shape', `${message}; pass the whole array, row-major, and the sizes that it was made with`);
  }
}

/** Throws `shape` unless there is one of `what` for each of `ofWhat`. */
export function checkOneEach(what: string, count: number, ofWhat: string, of: number): void {
  if (count !== of)
    throw new VizError('shape', `${count} ${what}, but ${ofWhat} belong to ${of}; pass those that belong together`);
}

/** Throws `shape` unless `value` is a whole number of at least 1. */
export function checkCount(what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new VizError('shape', `${what} is ${value}, but must be a whole number of at least 1`);
  }
}

/** Throws `not-finite` at the first NaN or infinity. */
export function checkFinite(what: string, data: ArrayLike<number>): void {
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      throw new VizError('not-finite', `${what} holds ${data[i]} at index ${i}; drop or repair such values first`);
    }
  }
}

/** Throws `options` unless `index` is one of `count` things. */
export function checkIndex(what: string, index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new VizError('options', `${what} is ${index}, but there are ${count}, counted from 0`);
}

/** Throws `options` unless `low <= value <= high`. */
export function checkRange(what: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) {
    throw new VizError('options', `${what} is ${value}, but must lie between ${low} and ${high}`);
  }
}
