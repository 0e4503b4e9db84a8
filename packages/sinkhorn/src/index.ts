export {
  type CenteredTeacher,
  type CenteringTargetOptions,
  centeringTargets,
  type NextCenterOptions,
  nextCenterOf,
  nextCentersOf,
} from './centering';
export { SinkhornError, type SinkhornErrorCode } from './errors';
export { type SinkhornTargetOptions, sinkhornTargets } from './sinkhorn';
export { type RankedSinkhornOptions, sinkhornTargetsOverRanks, type Teacher } from './sinkhorn-over-ranks';
