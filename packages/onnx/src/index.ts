export { OnnxError, type OnnxErrorCode } from './errors';
