/** How a file is opened: the options of `openOnnx`, refused where no compiler would. */
import { type OptionKinds, optionProblem } from '@franca/tensor';
import { OnnxError } from '../errors';
import type { OutputNames } from './find-outputs';
import type { PixelMap } from './image-input';

export interface OnnxOptions {
  /** Outputs by name, where they are not to be found; only these are then looked at. */
  readonly outputs?: OutputNames | undefined;
  /** Side of a patch in pixels: it has to fit. */
  readonly patchSize?: number | undefined;
  /** The same as a configuration beside the file has it: it decides only where several fit. */
  readonly usualPatchSize?: number | undefined;
  /** Side of the pictures that outputs are found by, where the input has none of its own (default 224). */
  readonly side?: number | undefined;
  /** What makes the pixels that the model takes of those that it is given (default: they are the same). */
  readonly pixels?: PixelMap | undefined;
  /** Execution provider of the runtime: `cpu` (default), `webgpu`, `cuda`, ... */
  readonly provider?: string | undefined;
  /** Processor threads (default: the runtime's choice). */
  readonly threads?: number | undefined;
}

const KINDS: OptionKinds<OnnxOptions> = {
  outputs: 'object',
  patchSize: 'number',
  usualPatchSize: 'number',
  side: 'number',
  pixels: 'object',
  provider: 'string',
  threads: 'number',
};

/** @throws OnnxError `options` for what is no path, and for options that do not exist or cannot be */
export function checkOptions(path: unknown, options: OnnxOptions): void {
  const { outputs = {}, pixels = {} } = options ?? {};
  const problem =
    typeof path !== 'string' || path === ''
      ? `takes the path of an ONNX file; ${typeof path === 'string' ? 'an empty text' : typeof path} was given`
      : (optionProblem(options, KINDS) ??
        optionProblem(outputs, { cls: 'string', patches: 'string' }) ??
        optionProblem(pixels, { scale: 'numbers', shift: 'numbers' }) ??
        numberProblem(options));
  if (problem) throw new OnnxError('options', `openOnnx: ${problem}`);
}

function numberProblem(options: OnnxOptions): string | undefined {
  const whole = ['patchSize', 'usualPatchSize', 'side', 'threads'] as const;
  const wrong = whole.find(
    (name) => options[name] !== undefined && !(Number.isSafeInteger(options[name]) && options[name]! > 0),
  );
  if (wrong) return `${wrong} is ${options[wrong]}; it must be a whole number of at least 1`;
  const { pixels } = options;
  return pixels && (pixels.scale?.length !== 3 || pixels.shift?.length !== 3)
    ? 'pixels has a scale and a shift of three channels each'
    : undefined;
}
