export { derive } from './config/derive';
export type { DerivedOptions, LoopOptions, Machine } from './config/derived-options';
export { defaultConfig, type Layer, loadConfig, type ResolvedConfig, resolveConfig } from './config/load';
export { listPresets, type Preset } from './config/presets';
export type {
  Arch,
  FrancaSection,
  HeadSection,
  NetworkPrecision,
  PartPrecision,
  TrainConfig,
} from './config/train-config';
export { knownRates, type Rates, withRates } from './doctor/rates';
export { TrainError, type TrainErrorCode } from './errors';
export { rateNote } from './plan/describe-rates';
export { type ProfileRow, profileByKind, profileRows } from './run/profile-table';
export { runCli } from './run-cli';
