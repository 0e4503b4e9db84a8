/** Names of files that hold a backbone, the preferred one first. */

/** What a run exports. */
export const EXPORTED = 'teacher.safetensors';

/** Files of a folder, in the order in which they are looked for. */
export const WEIGHT_FILES: readonly string[] = [
  EXPORTED,
  'backbone.safetensors',
  'folded.safetensors',
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** Where a folder has ONNX, if it holds none of these. */
export const ONNX_FILES: readonly string[] = ['model.onnx', 'onnx/model.onnx'];
