/** Misspelt and missing options refused as `TensorError`: one that is left out in silence gives another number than was asked for. */
import { optionProblem, TensorError } from '@franca/tensor';

/** Throws `options` unless `options` has known names only, and all that are `needed`; `known` is `Record<keyof Options, true>`. */
export function checkOptions(
  what: string,
  options: object,
  known: Readonly<Record<string, true>>,
  needed: readonly string[] = [],
): void {
  const problem = optionProblem(options, known);
  if (problem) throw new TensorError('options', `${what}: ${problem}`);
  const missing = needed.find((name) => (options as Readonly<Record<string, unknown>>)[name] === undefined);
  if (missing) throw new TensorError('options', `${what}: "${missing}" is missing; it has no default`);
}
