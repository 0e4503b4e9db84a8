/** The error of `@franca/tensor`, and how a message finds the line of the user's program that it is about. */
export type TensorErrorCode =
  | 'shape'
  | 'dtype'
  | 'argument'
  | 'options'
  | 'state'
  | 'memory'
  | 'binding-limit'
  | 'adapter'
  | 'device-lost'
  | 'not-differentiable'
  | 'shader'
  | 'refused'
  | 'leak'
  | 'copies';

/** `code` for programs, a message that says what happened, with which values, and how to fix it. */
export class TensorError extends Error {
  readonly code: TensorErrorCode;
  constructor(code: TensorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TensorError';
    this.code = code;
  }
}

// Paths of the engine itself, in its sources and in a built or installed copy.
const ENGINE_FRAME =
  /[\\/](packages[\\/](tensor|nn)[\\/](src|dist)|@franca[\\/](tensor|nn)[\\/]dist)[\\/](?!.*\.test\.)|node:internal/;

/** Remembers where it is called; `siteOf` turns that into text, which costs far more and is rarely wanted. */
export function markSite(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const mark = new Error();
  Error.stackTraceLimit = limit;
  return mark;
}

/** `file:line:column` of the innermost stack frame outside the engine: the line of the user's program that recorded an op. */
export function siteOf(mark: Error): string {
  const frames = (mark.stack ?? '').split('\n').slice(1);
  const places = frames
    .filter((line) => !ENGINE_FRAME.test(line))
    .map((line) => line.match(/\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/)?.[1]);
  // built-in functions, such as forEach, have no place
  return places.find((place) => place !== undefined) ?? 'unknown line';
}

/** Throws a record-time error that names the op, what was wrong and the user's line. */
export function opError(code: TensorErrorCode, op: string, problem: string): never {
  throw new TensorError(code, `${op}: ${problem}\n    at ${siteOf(markSite())}`);
}
