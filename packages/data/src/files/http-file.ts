/**
 * Random access to a file behind HTTP, by range requests.
 *
 * The first request asks for one byte: its answer tells the size and whether the server knows ranges at all. A request
 * that fails in a passing way (connection lost, 429, 5xx) is repeated with growing pauses; anything else is an error that
 * names the address. An answer is used only when it is exactly the range that was asked for.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import { type ByteFile, checkRange } from './byte-file';
import { proxiedFetch } from './proxied-fetch';

export interface HttpOptions {
  /** Headers of every request, e.g. an `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Repetitions after a passing failure. Default 4. */
  readonly retries?: number;
  /** First pause before a repetition, in milliseconds; each further one is twice as long. Default 250. */
  readonly pauseMs?: number;
  /** A request that brings nothing for this long is given up. Default 30,000. */
  readonly stallMs?: number;
  /** A server that cannot be reached, or does not answer at all for this long, is not asked again. Default: it is, as after any failure that may pass. */
  readonly answerMs?: number;
  /** Stops the request; for `openHttpFile` the opening, each read having its own. */
  readonly signal?: AbortSignal | undefined;
}

export const HTTP_OPTIONS: OptionKinds<HttpOptions> = {
  headers: 'object',
  retries: 'number',
  pauseMs: 'number',
  stallMs: 'number',
  answerMs: 'number',
  signal: 'object',
};

/**
 * Opens a URL for random access.
 * @throws DataError no-network, http-status, or no-range when the server sends whole files only
 */
export async function openHttpFile(url: string, options: HttpOptions = {}): Promise<ByteFile> {
  checkArgument('openHttpFile', 'url', url, 'string');
  checkOptions('openHttpFile', options, HTTP_OPTIONS);
  const first = await fetchRange(url, 0, 1, options);
  const size = Number(/^bytes 0-0\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]);
  if (!Number.isSafeInteger(size)) throw new DataError('no-range', `${url}: the server does not tell the file's size`);
  const told = ['etag', 'last-modified'].map((name) => first.headers.get(name)).filter((value) => value !== null);
  const file = { name: url, size, version: [url, size, ...(told.length > 0 ? told : [randomUUID()])].join('; ') };
  return {
    ...file,
    ...(told.length > 0 && { remote: true as const }),
    read: async (offset, length, signal) => {
      checkRange(file, offset, length);
      if (length === 0) return new Uint8Array();
      return (await fetchRange(url, offset, length, { ...options, signal })).bytes;
    },
  };
}

async function fetchRange(
  url: string,
  offset: number,
  length: number,
  options: HttpOptions,
): Promise<{ headers: Headers; bytes: Uint8Array }> {
  return retrying(options, async () => {
    const { response, body, drop } = await request(url, options, { range: `bytes=${offset}-${offset + length - 1}` });
    const declared = Number(response.headers.get('content-length') ?? length);
    if (response.status !== 206 || declared !== length) {
      drop();
      if (response.status === 206) {
        throw new DataError('damaged-file', `${url}: asked for ${length} bytes, the server announces ${declared}`);
      }
      throw new DataError('no-range', `${url}: the server does not support range requests (status ${response.status})`);
    }
    return { headers: response.headers, bytes: await readBody(body, url, length) };
  });
}

/** The name of what a request failed for that did not get so much as a head within `answerMs`. */
const UNANSWERED = 'Unanswered';

/** The answer to a request: its head, and its body in parts. Read the body, or drop it. */
export interface HttpAnswer {
  readonly response: Response;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection. */
  drop(): void;
}

/**
 * One GET request, given up when it brings nothing for `stallMs`.
 * @throws DataError no-network when nothing answers (from the body too), http-status when the answer is not a success
 */
export async function request(
  url: string,
  options: HttpOptions,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  const { signal, stallMs = 30_000, answerMs } = options;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const stalled = setTimeout(() => stop.abort(new Error(`nothing came for ${stallMs} ms`)), stallMs);
  const unanswered = answerMs && setTimeout(() => stop.abort(new Error(`no answer for ${answerMs} ms`)), answerMs);
  const finish = (): void => {
    clearTimeout(stalled);
    clearTimeout(unanswered);
    signal?.removeEventListener('abort', onAbort);
  };
  const drop = (): void => {
    finish();
    stop.abort();
  };
  const failure = (cause: unknown): unknown => (signal?.aborted ? signal.reason : networkError(url, cause));

  let response: Response;
  try {
    response = await proxiedFetch(url, { headers: { ...options.headers, ...headers }, signal: stop.signal });
  } catch (cause) {
    finish();
    throw failure(answerMs ? Object.assign(new Error('no answer', { cause }), { name: UNANSWERED }) : cause);
  }
  clearTimeout(unanswered);
  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const part of response.body ?? []) {
        stalled.refresh();
        yield part;
        stalled.refresh();
      }
    } catch (cause) {
      throw failure(cause);
    } finally {
      drop();
    }
  }
  if (response.ok) return { response, body: parts(), drop };
  drop();
  throw new DataError(
    'http-status',
    `${url}: the server answers ${response.status} ${response.statusText}`,
    response.status,
  );
}

/** A failed connection as a typed error, with the reason that fetch hides in its `cause`. */
export function networkError(url: string, cause: unknown): DataError {
  let inner = cause;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const reason = inner instanceof Error ? inner.message || inner.name : String(inner);
  return new DataError('no-network', `${url} cannot be reached: ${reason}`, cause);
}

/** Runs `task` again after a passing failure, with pauses of `pauseMs`, twice that, and so on. */
export async function retrying<T>(options: HttpOptions, task: () => Promise<T>): Promise<T> {
  const { retries = 4, pauseMs = 250, signal } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      if (attempt >= retries || !isPassing(error)) throw error;
      await pause(pauseMs * 2 ** attempt, undefined, signal ? { signal } : {});
    }
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof DataError)) return false;
  if (error.code === 'http-status') return error.cause === 429 || Number(error.cause) >= 500;
  return error.code === 'no-network' && !(error.cause instanceof Error && error.cause.name === UNANSWERED);
}

async function readBody(body: AsyncIterable<Uint8Array>, url: string, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const part of body) {
    if (filled + part.length > length)
      throw new DataError('damaged-file', `${url}: the answer is longer than announced`);
    bytes.set(part, filled);
    filled += part.length;
  }
  if (filled < length) throw networkError(url, new Error(`the connection ended after ${filled} of ${length} bytes`));
  return bytes;
}
