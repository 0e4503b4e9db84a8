/** The error of `@franca/onnx`: a code for programs, a message for people. */

/**
 * What went wrong. `runtime`: `onnxruntime-node` is not installed or does not load; `model`: the file is no model that this package runs or writes; `outputs`: what is
 * asked for is no output of it; `images`: images that it does not take; `options`: an option that there is not.
 */
export type OnnxErrorCode = 'runtime' | 'model' | 'outputs' | 'images' | 'options';

export class OnnxError extends Error {
  readonly code: OnnxErrorCode;

  constructor(code: OnnxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OnnxError';
    this.code = code;
  }
}
