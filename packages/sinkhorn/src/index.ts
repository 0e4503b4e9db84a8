export { type CenteringTargetOptions, centeringTargets, nextCenterOf } from './centering';
export { SinkhornError, type SinkhornErrorCode } from './errors';
export { type SinkhornTargetOptions, sinkhornTargets } from './sinkhorn';
