/** The error of `@franca/checkpoint`, and untrusted text made fit for its messages. */

/** What went wrong. */
export type CheckpointErrorCode =
  /** No such file, or no usable checkpoint in the folder. */
  | 'not-found'
  /** Not a file of the expected format, or of a format that is explained in the message. */
  | 'format'
  /** The file ends before the data that it declares. */
  | 'truncated'
  /** Declared lengths, shapes, offsets or dtypes contradict each other or the file. */
  | 'header'
  /** Larger than what an honest file of this kind needs. */
  | 'too-large'
  /** A pickle names something that would run a command when Python opens it. */
  | 'unsafe-pickle'
  /** A checksum does not match. */
  | 'corrupt'
  /** A tensor, key or range that the file does not have. */
  | 'missing-tensor'
  /** The caller's own input: entries, names, state. */
  | 'argument'
  /** An option that there is not, or of another type. */
  | 'options'
  /** Written by a newer version of the caller. */
  | 'version'
  /** It may not be read or written, or a disk or server does not answer as it should. */
  | 'inaccessible'
  /** A read after `close()`. */
  | 'closed'
  /** The disk or quota is full. */
  | 'disk-full'
  /** Another live run owns the folder. */
  | 'locked';

export class CheckpointError extends Error {
  readonly code: CheckpointErrorCode;

  constructor(code: CheckpointErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CheckpointError';
    this.code = code;
  }
}

/** Untrusted text for a message: one line, escaped (a file must not drive a terminal), at most 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

/** An untrusted JSON or pickle value for a message, never walking into nested ones. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value))
    return `[${value.slice(0, 8).map(describeItem).join(', ')}${value.length > 8 ? ', ...' : ''}]`;
  return describeItem(value);
}

function describeItem(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' || value == null ? String(value) : typeof value;
}
