/** Which ONNX files there are: types as transformers.js calls them, and the names under which it looks for them. */

export type OnnxType = 'fp32' | 'fp16' | 'q8';

/** What each type is computed by, and its path in the folder. */
export const ONNX_KINDS: Readonly<
  Record<OnnxType, { readonly precision: 'f32' | 'f16' | 'q8'; readonly file: string }>
> = {
  fp32: { precision: 'f32', file: 'onnx/model.onnx' },
  fp16: { precision: 'f16', file: 'onnx/model_fp16.onnx' },
  q8: { precision: 'q8', file: 'onnx/model_quantized.onnx' },
};

export const ONNX_TYPES: readonly OnnxType[] = ['fp32', 'fp16', 'q8'];
