/**
 * Which copy of this package something was made by. A program may hold two: npm nests a second one where a dependency asks for another version. Each has
 * counters and lists of its own, so a graph recorded half here and half there would be compiled without the other half, and give wrong numbers without a
 * word. Every node, device and state therefore carries the mark of the copy that made it, under a symbol that all copies share, and each copy refuses what
 * is not its own.
 */
import { TensorError } from '../base/errors';

/** Key of the mark. */
export const COPY: unique symbol = Symbol.for('@franca/tensor/copy');

/** A copy of this package, told from others by identity. */
export interface Copy {
  /** Where it was loaded from. */
  readonly place: string;
}

/** What carries the mark of the copy that made it. */
export interface Marked {
  readonly [COPY]: Copy;
}

/** This copy. */
export const THIS_COPY: Copy = { place: import.meta.url };

/** Throws `TensorError`: `copies` where `thing` was made by another copy of this package, `argument` where it is nothing at all. */
export function refuseOtherCopy(what: string, thing: Marked): void {
  if (typeof thing !== 'object' || thing === null)
    throw new TensorError('argument', `${what} is ${String(thing)}; openGpu gives a device, createState a state`);
  // an object without a mark comes from a version before there was one
  const copy: Copy | undefined = thing[COPY];
  if (copy === THIS_COPY) return;
  throw new TensorError(
    'copies',
    `two copies of @franca/tensor meet: ${what} comes from ${copy?.place ?? 'an older version'}, and is used with ${THIS_COPY.place}; ` +
      'install one version for all packages (npm ls @franca/tensor shows who brings which)',
  );
}
