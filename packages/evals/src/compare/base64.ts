/** Bytes as base64 and back, in Node and in a page alike; text of another length than was promised is never decoded. */
import { EvalsError } from '../errors';

const AT_ONCE = 0x8000;

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  // a character a byte; so many at once fit on the stack
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return btoa(text);
}

/** Length of the base64 text of so many bytes. */
export const base64Length = (bytes: number): number => 4 * Math.ceil(bytes / 3);

/** @throws EvalsError `file` where it is no base64 */
export function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new EvalsError('file', 'results of items are no base64; the file was changed or cut', { cause });
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
