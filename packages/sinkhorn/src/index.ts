export { SinkhornError, type SinkhornErrorCode } from './error';
export type { Reducer } from './reducer';
