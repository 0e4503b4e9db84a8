export { type WrittenFile, writeFileAtomic } from './atomic-write';
export type { Sink } from './byte-source';
export { type Dtype, elementSize, type TensorData, toFloat32 } from './dtype';
export { CheckpointError, type CheckpointErrorCode } from './errors';
export type { JsonValue } from './json-value';
export type { ArrayFile } from './numpy/array-file';
export { openNpy, openNpz } from './numpy/npy';
export { type TextEntry, writeNpy, writeNpz } from './numpy/write-npy';
export { chunkBlockName, flattenBlockName } from './official/block-names';
export type { OfficialPart } from './official/part';
export { type OfficialCheckpoint, type OfficialOptions, splitOfficial } from './official/parts';
export type { BackboneReport, OfficialReport } from './official/report';
export { unpackWeights } from './official/unpack-weights';
export { openCheckpoint } from './open-checkpoint';
export { listRunCheckpoints, type RunCheckpointPath } from './run/folder';
export {
  type LatestRunCheckpoint,
  latestRunCheckpoint,
  loadRunCheckpoint,
  type RunCheckpoint,
} from './run/load';
export { lockRun, type RunLock } from './run/lock';
export { pruneRunCheckpoints, type RetentionPolicy } from './run/prune';
export { type RunCheckpointContents, saveRunCheckpoint } from './run/save';
export { openSafetensors } from './safetensors/reader';
export { openSharded } from './safetensors/sharded';
export { safetensorsBytes, safetensorsStream } from './safetensors/stream';
export { writeSafetensors } from './safetensors/writer';
export {
  type ElementRange,
  entriesOf,
  renameTensors,
  type TensorEntry,
  type TensorFile,
  type TensorInfo,
  type TensorSource,
} from './tensor-source';
export { openPth, type PthFile } from './torch/pth';
export type { PlainValue } from './torch/walk-pickle';
