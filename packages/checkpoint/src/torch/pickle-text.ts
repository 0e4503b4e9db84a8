/** Numbers and strings as the text opcodes of pickle's protocols 0 and 1 spell them; Python 2 wrote many a checkpoint so. */
import { quote } from '../errors';

/** No honest number is longer; the time to read one grows with the square of its digits. */
const MAX_DIGITS = 1024;

type Fail = (what: string) => Error;

/** `12`, `-3`, `12L`; `00` and `01` are the booleans of INT. @throws what `fail` makes */
export function parseInteger(line: string, fail: Fail): number | bigint | boolean {
  if (line === '00' || line === '01') return line === '01';
  if (line.length > MAX_DIGITS || !/^[+-]?\d+L?$/.test(line)) throw fail(`${quote(line)} is no integer`);
  return narrowed(BigInt(line.replace(/^\+|L$/g, '')));
}

/** `1.5`, `1e-05`, `inf`, `nan`. @throws what `fail` makes */
export function parseFloat64(line: string, fail: Fail): number {
  const special = /^([+-]?)(inf|nan)$/i.exec(line);
  if (special) return special[2]!.toLowerCase() === 'nan' ? Number.NaN : Number(`${special[1]}Infinity`);
  if (line.length > MAX_DIGITS || line.trim() === '' || Number.isNaN(Number(line)))
    throw fail(`${quote(line)} is no number`);
  return Number(line);
}

/** Little-endian two's complement. @throws what `fail` makes, for more digits than a number has */
export function decodeLong(bytes: Uint8Array, fail: Fail): number | bigint {
  if (bytes.length > MAX_DIGITS) throw fail(`an integer of ${bytes.length} bytes`);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return narrowed(BigInt.asIntN(Math.max(8 * bytes.length, 1), value));
}

const narrowed = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** A string as Python 2's `repr` gives it, quotes and backslashes included. @throws what `fail` makes */
export function parseQuoted(line: string, fail: Fail): string {
  const [, , inner] = /^(['"])(.*)\1$/s.exec(line) ?? [];
  if (inner === undefined) throw fail(`${quote(line)} has no quotes`);
  return inner.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (/^x./s.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    return ESCAPES[code] ?? code;
  });
}

/** Text as UNICODE keeps it: raw but for `\uXXXX` and `\UXXXXXXXX`. @throws what `fail` makes */
export function parseRawUnicode(line: string, fail: Fail): string {
  return line.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (_, short?: string, long?: string) => {
    const point = Number.parseInt((short ?? long)!, 16);
    if (point > 0x10ffff) throw fail(`U+${point.toString(16)} is no character`);
    return String.fromCodePoint(point);
  });
}
