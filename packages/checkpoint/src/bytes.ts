/** The entry without Node, for browsers: safetensors from bytes, Blobs and addresses, official checkpoints, and safetensors to bytes. */
export type { Sink } from './byte-source';
export { type BytesOptions, type BytesOrAddress, openSafetensors, openSharded } from './bytes/open';
export { type Dtype, elementSize, type TensorData, toFloat32 } from './dtype';
export { CheckpointError, type CheckpointErrorCode } from './errors';
export { chunkBlockName, flattenBlockName } from './official/block-names';
export type { OfficialPart } from './official/part';
export { type OfficialCheckpoint, type OfficialOptions, splitOfficial } from './official/parts';
export type { BackboneReport, OfficialReport } from './official/report';
export { safetensorsBytes, safetensorsStream } from './safetensors/stream';
export {
  type ElementRange,
  entriesOf,
  renameTensors,
  type TensorEntry,
  type TensorFile,
  type TensorInfo,
  type TensorSource,
} from './tensor-source';
