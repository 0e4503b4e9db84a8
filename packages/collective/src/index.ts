export { alone } from './alone';
export type { Communicator, Member, Numbers, Reduction } from './communicator';
export { CollectiveError, type CollectiveErrorCode } from './errors';
export { findMpi } from './find-mpi';
export { type Family, findLauncher, type Launcher } from './launcher';
export { type OpenCommunicatorOptions, openCommunicator } from './open-communicator';
