export { derive } from './config/derive';
export { defaultConfig, type Layer, loadConfig, type ResolvedConfig, resolveConfig } from './config/load';
export { listPresets, type Preset } from './config/presets';
export type {
  HeadLevel,
  HeadOptions,
  KeptCrops,
  MaskOptions,
  PretrainOptions,
  RunOptions,
  Schedule,
  World,
} from './config/pretrain-options';
export type { Arch, HeadConfig, NetworkPrecision, OwnConfig, PartPrecision, TrainConfig } from './config/train-config';
export { TrainError, type TrainErrorCode } from './errors';
export {
  initialisePretraining,
  type PretrainOutputs,
  type PretrainSignature,
  type PretrainStepOptions,
  pretrainGroups,
  pretrainSignature,
  pretrainStep,
} from './pretrain-step';
export { type ScheduledValues, schedules } from './run/schedules';
export { runCli } from './run-cli';
