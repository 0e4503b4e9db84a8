export { OnnxError, type OnnxErrorCode } from './errors';
export type { Precision } from './write/graph-builder';
export type { OnnxSource } from './write/source';
export { type OnnxWriteOptions, type WrittenOnnx, writeVitOnnx } from './write/write-vit-onnx';
