/**
 * A file on a server, read by HTTP range requests (RFC 9110, section 14). The first request asks for the beginning, which holds most headers, and its answer tells the
 * size: `Content-Range: bytes 0-65535/22884168`. A server without ranges answers with the whole file, which is kept and said. What a server claims is compared
 * with what it sends, which is never taken further than asked for.
 */
import { type ByteSource, byteSource, truncated } from '../byte-source';
import { CheckpointError } from '../errors';
import { blobBytes } from './memory';

/** Asked for first: room for the header of a model with 600 tensors. */
const FIRST_BYTES = 2 ** 16;

const WHOLE = 'openSafetensors(await (await fetch(address)).blob()) reads it whole';

/**
 * Opens an address. `request`: headers, signal and the like of each request.
 * @throws CheckpointError `not-found`, `inaccessible`; what the signal says
 */
export async function addressBytes(address: URL, request: RequestInit): Promise<ByteSource> {
  const path = address.href;
  const response = await ask(address, request, 0, FIRST_BYTES);
  if (response.status === 200) return whole(response, path, request);
  const size = sizeOf(response, path);
  const version = response.headers.get('etag');
  const first = await body(response, Math.min(size, FIRST_BYTES), path, request);
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (offset + length <= first.byteLength) return first.slice(offset, offset + length);
    if (length === 0) return new Uint8Array(0);
    const answer = await ask(address, request, offset, length);
    const range = answer.headers.get('content-range');
    const expected = `bytes ${offset}-${offset + length - 1}/${size}`;
    const changed = differ(range, expected) || differ(answer.headers.get('etag'), version);
    if (answer.status === 206 && !changed) return body(answer, length, path, request);
    await answer.body?.cancel();
    const what = changed ? 'it is another file on the server now' : 'the server no longer answers with ranges';
    throw new CheckpointError('inaccessible', `cannot read ${path}: ${what}; open it again`);
  };
  return byteSource({ path, size, read });
}

/** Whether two texts, both of them told, are not the same. */
const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;

/** One request. @throws CheckpointError unless it is answered with 200 or 206 */
async function ask(address: URL, request: RequestInit, offset: number, length: number): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set('range', `bytes=${offset}-${offset + length - 1}`);
  const response = await attempt(address.href, request, () => fetch(address, { ...request, headers }));
  if (response.status === 200 || response.status === 206) return response;
  await response.body?.cancel();
  const [code, wayOut] = refusal(response.status);
  throw new CheckpointError(code, `cannot read ${address.href}: the server answers ${response.status}; ${wayOut}`);
}

function refusal(status: number): readonly ['not-found' | 'inaccessible' | 'truncated', wayOut: string] {
  if (status === 404 || status === 410) return ['not-found', 'check the address'];
  if (status === 401 || status === 403)
    return ['inaccessible', 'give what it asks for: { request: { headers: { authorization: "Bearer ..." } } }'];
  if (status === 416) return ['truncated', 'the file is empty or shorter than before; put it there again'];
  return ['inaccessible', 'try again later, or download the file'];
}

/** A whole file in place of a range. */
async function whole(response: Response, path: string, request: RequestInit): Promise<ByteSource> {
  const blob = await attempt(path, request, () => response.blob());
  const claimed = response.headers.get('content-length');
  const plain = response.headers.get('content-encoding') === null;
  if (plain && claimed !== null && Number(claimed) !== blob.size)
    throw truncated(path, `the server claims ${claimed} bytes and sends ${blob.size}`);
  return blobBytes(blob, path, [`the server has no ranges, so that all ${blob.size} bytes were downloaded`]);
}

/** The size of the file, from the answer to the first request. */
function sizeOf({ headers }: Response, path: string): number {
  const range = headers.get('content-range');
  const [, end, size] = /^bytes 0-(\d{1,15})\/(\d{1,15})$/.exec(range ?? '') ?? [];
  if (size !== undefined && Number(end) === Math.min(Number(size), FIRST_BYTES) - 1) return Number(size);
  const what =
    range === null
      ? 'the server does not say which bytes it sends (Content-Range; other origins see it with Access-Control-Expose-Headers)'
      : `the server sends ${JSON.stringify(range.slice(0, 60))} where the first ${FIRST_BYTES} bytes were asked for`;
  throw new CheckpointError('inaccessible', `cannot read ${path}: ${what}; ${WHOLE}`);
}

/** Exactly `length` bytes of an answer, taken as they come: memory for what was only promised is never taken. */
async function body(
  response: Response,
  length: number,
  path: string,
  request: RequestInit,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body!.getReader();
  const pieces: Uint8Array[] = [];
  let got = 0;
  while (got <= length) {
    const { done, value } = await attempt(path, request, () => reader.read());
    if (done) break;
    pieces.push(value);
    got += value.byteLength;
  }
  if (got > length) await reader.cancel();
  if (got !== length)
    throw truncated(path, `the server sends ${got > length ? 'more' : got} where ${length} bytes were asked for`);
  const bytes = new Uint8Array(length);
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.byteLength;
  }
  return bytes;
}

/** @throws CheckpointError where the network fails; the signal's reason where it ends the request */
async function attempt<T>(path: string, { signal }: RequestInit, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    const wayOut =
      'check the address and the connection, and that the server lets pages of other origins read it (CORS)';
    throw new CheckpointError('inaccessible', `cannot read ${path}: ${why}; ${wayOut}`, { cause });
  }
}
