/** The one error class of this package, and how options are asked for what is wrong with them. */
import { type OptionKinds, optionProblem, type ValueKind, valueProblem } from '@franca/tensor';

/** What went wrong in an evaluation, as a code for programs. */
export type EvalsErrorCode = 'argument' | 'features' | 'file' | 'labels' | 'options' | 'space';

/** Every refusal of this package: what happened, with the offending values, and how to put it right. */
export class EvalsError extends Error {
  readonly code: EvalsErrorCode;

  constructor(code: EvalsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EvalsError';
    this.code = code;
  }
}

/** Refuses an option outside its range. */
export function checkOption(valid: boolean, message: string): void {
  if (!valid) throw new EvalsError('options', message);
}

/**
 * Refuses options that do not exist or are of another type, and what is no options at all; `what` is the function that was called.
 *
 * @throws EvalsError `options`
 */
export function checkOptions<Options extends object>(
  what: string,
  options: Options,
  known: OptionKinds<Options>,
): void {
  const problem = optionProblem(options, known);
  if (problem) throw new EvalsError('options', `${what}: ${problem}`);
  if ('backend' in options && options.backend !== undefined) checkBackend(what, options.backend);
}

/** Refuses an argument of another type; `name` is what the function calls it. */
export function checkArgument(what: string, name: string, value: unknown, kind: ValueKind): void {
  const problem = valueProblem(name, value, kind);
  if (problem) throw new EvalsError('argument', `${what}: ${problem}`);
}

/** Refuses what is no backend, such as the device itself. */
export function checkBackend(what: string, backend: unknown): void {
  const works = typeof backend === 'object' && backend !== null && 'openTopK' in backend;
  checkOption(works, `${what}: backend is none; give cpuBackend or gpuBackend(gpu)`);
}
