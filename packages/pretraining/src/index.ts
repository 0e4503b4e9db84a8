export type { PretrainChoices } from './choices';
export { type TeacherWeights, writeFrozenTeacher } from './distillation';
export { PretrainError, type PretrainErrorCode } from './errors';
export { type FittedStep, fitPretraining, type MemoryChoice } from './fit-memory';
export { type DrawnInputs, drawInputs, type PerInput, type RandomInputs } from './inputs';
export type { PerKept } from './kept-samples';
export { pretrainOptions } from './official-options';
export {
  type AdamWSettings,
  type BatchSize,
  type CropSizes,
  type Distillation,
  type KeptCrops,
  LEAST_IMAGES,
  type MaskOptions,
  type PretrainOptions,
  type RankOf,
  type Schedule,
} from './options';
export { prototypeChunks } from './prototype-chunks';
export { type ScheduledValues, schedules } from './schedules';
export {
  type CompiledPretrainStep,
  microStepKnobs,
  type PerKnob,
  type PretrainOutputs,
  type PretrainSignature,
  pretrainSignature,
} from './signature';
export { initialisePretraining, type PretrainGroups, pretrainGroups, SAVED_GROUPS } from './state';
export { pretrainRule, pretrainStep } from './step';
