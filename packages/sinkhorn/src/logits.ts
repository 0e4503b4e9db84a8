/** Teacher logits as plain arrays: their shape, and the checks before any work. */
import { SinkhornError } from './errors';

/** Teacher logits `[B, K]` or a centre `[K]`, row-major. Everything is computed in f64. */
export type Floats = Float32Array | Float64Array;

/** B samples by K prototypes. */
export type Shape = readonly [samples: number, prototypes: number];

/** Throws `shape` unless the logits are of that shape; B may be 0, K may not. */
export function checkShape(logits: Floats, shape: Shape): void {
  const [samples, prototypes] = Array.isArray(shape) ? (shape as Shape) : [Number.NaN, Number.NaN];
  const valid = Number.isSafeInteger(samples) && Number.isSafeInteger(prototypes) && samples >= 0 && prototypes > 0;
  if (!valid || logits?.length !== samples * prototypes) {
    throw new SinkhornError(
      'shape',
      `${logits?.length} logits are not [${samples}, ${prototypes}]: give [samples, prototypes] with samples * prototypes values`,
    );
  }
}

/** The number of leading rows that are samples and not padding. Throws `options` when there are not that many. */
export function checkValidRows(validRows: number | undefined, [samples]: Shape): number {
  if (validRows === undefined) return samples;
  if (!Number.isInteger(validRows) || validRows < 0 || validRows > samples) {
    throw new SinkhornError('options', `validRows ${validRows} is not an integer from 0 to the ${samples} rows given`);
  }
  return validRows;
}

/** Throws `options` unless the temperature is a positive number. */
export function checkTemperature(temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new SinkhornError('options', `temperature ${temperature} is not a positive number`);
  }
}

/** The error for a value that is NaN or infinite, by its place in the logits. */
export function notFinite(value: number, index: number, [, prototypes]: Shape): SinkhornError {
  return new SinkhornError(
    'not-finite',
    `logit / temperature is ${value} at sample ${Math.floor(index / prototypes)}, prototype ${index % prototypes}: the teacher has diverged or its input is damaged`,
  );
}
