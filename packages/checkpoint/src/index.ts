export { type Sink, type WrittenFile, writeFileAtomic } from './atomic-write';
export { chunkBlockName, flattenBlockName } from './block-names';
export { listRunCheckpoints, type RunCheckpointPath } from './checkpoint-folder';
export { type Dtype, elementSize, type TensorData, toFloat32 } from './dtype';
export { CheckpointError, type CheckpointErrorCode } from './errors';
export type { JsonValue } from './json-value';
export {
  type LatestRunCheckpoint,
  latestRunCheckpoint,
  loadRunCheckpoint,
  type RunCheckpoint,
} from './load-checkpoint';
export { type OfficialCheckpoint, type OfficialOptions, type OfficialPart, splitOfficial } from './official';
export type { BackboneReport, OfficialReport } from './official-report';
export { openCheckpoint } from './open-checkpoint';
export { pruneRunCheckpoints, type RetentionPolicy } from './prune-checkpoints';
export { openPth, type PthFile, type PthOptions } from './pth';
export { type RunCheckpointContents, saveRunCheckpoint } from './run-checkpoint';
export { lockRun, type RunLock } from './run-lock';
export { openSafetensors } from './safetensors-reader';
export { safetensorsStream, writeSafetensors } from './safetensors-writer';
export { openSharded } from './sharded';
export {
  type ElementRange,
  entriesOf,
  renameTensors,
  type TensorEntry,
  type TensorFile,
  type TensorInfo,
  type TensorSource,
} from './tensor-source';
export { unpackWeights } from './unpack-weights';
export type { PlainValue } from './walk-pickle';
