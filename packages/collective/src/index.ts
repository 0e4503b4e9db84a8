export { alone } from './alone';
export type { Communicator, Member, Numbers, Reduction } from './communicator';
export { CollectiveError, type CollectiveErrorCode } from './errors';
