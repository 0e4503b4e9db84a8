/** What tests of ops and steps need: `checkOp`, numbers, and a compiler for adapters that are not there. */
export { type CheckInput, type CheckOptions, type CheckResult, checkOp } from './testing/check-op';
export { relativeError } from './testing/compare';
export { normals } from './testing/normals';
export { compileKernels, PAPER_ADAPTERS } from './testing/paper-adapters';
