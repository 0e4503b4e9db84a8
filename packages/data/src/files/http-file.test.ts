import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type LoopbackServer, sendBytes, serve } from '../../test/loopback-server';
import { openHttpFile } from './http-file';

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index & 255);
const patient = { pauseMs: 1 };
let server: LoopbackServer;
afterEach(() => server.close());
const open = async (handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
  server = await serve(handler);
  return `${server.url}/file`;
};

describe('openHttpFile', () => {
  it('reads exactly the ranges that are asked for', async () => {
    const file = await openHttpFile(await open((request, response) => sendBytes(request, response, bytes)));
    expect(file).toMatchObject({ size: 1000, version: expect.stringContaining('"fixed"'), remote: true });
    expect(await file.read(990, 10)).toEqual(bytes.subarray(990));
    expect(await file.read(5, 3)).toEqual(bytes.subarray(5, 8));
    expect(server.requests.slice(1)).toEqual(['GET /file bytes=990-999', 'GET /file bytes=5-7']);
  });

  it('is another version at every opening where the server tells nothing of the content', async () => {
    const url = await open((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-0/9', 'content-length': 1 }).end('a');
    });
    const [first, second] = [await openHttpFile(url), await openHttpFile(url)];
    expect(first.version).not.toBe(second.version);
    expect(first.remote).toBeUndefined();
  });

  it('refuses ranges beyond the end without asking', async () => {
    const file = await openHttpFile(await open((request, response) => sendBytes(request, response, bytes)));
    await expect(file.read(995, 6)).rejects.toMatchObject({ code: 'damaged-file' });
    await expect(file.read(0, 2 ** 60)).rejects.toMatchObject({ code: 'damaged-file' });
    expect(server.requests).toHaveLength(1);
  });

  it('asks a server that does not answer once, where there is a limit for the first answer', async () => {
    const url = await open(() => {});
    const opening = openHttpFile(url, { ...patient, answerMs: 200 });
    await expect(opening).rejects.toMatchObject({
      code: 'no-network',
      message: expect.stringMatching(/no answer for 200 ms/),
    });
    expect(server.requests).toHaveLength(1);
  });

  it('tries again after passing failures', async () => {
    let calls = 0;
    const url = await open((request, response) => {
      calls++;
      if (calls === 2) response.writeHead(503).end();
      else if (calls === 3) request.socket.destroy();
      else if (calls === 4) {
        response.writeHead(206, { 'content-length': 4 }).write('ab');
        setImmediate(() => request.socket.destroy());
      } else sendBytes(request, response, bytes);
    });
    const file = await openHttpFile(url, patient);
    expect(await file.read(0, 4)).toEqual(bytes.subarray(0, 4));
    expect(calls).toBe(5);
  });

  it('gives up at once on an answer that will not change', async () => {
    const url = await open((_, response) => response.writeHead(403).end());
    await expect(openHttpFile(url, patient)).rejects.toMatchObject({ code: 'http-status', message: /403/ });
    expect(server.requests).toHaveLength(1);
  });

  it('says so when the server sends whole files only', async () => {
    const url = await open((_, response) => response.end(bytes));
    await expect(openHttpFile(url, patient)).rejects.toMatchObject({ code: 'no-range' });
  });

  it('does not believe an answer of another length', async () => {
    const url = await open((request, response) => {
      const lying = request.headers.range !== 'bytes=0-0';
      if (lying) response.writeHead(206, { 'content-length': 900 }).end(bytes.subarray(0, 900));
      else sendBytes(request, response, bytes);
    });
    const file = await openHttpFile(url, patient);
    await expect(file.read(0, 4)).rejects.toMatchObject({ code: 'damaged-file', message: /900/ });
  });

  it('is a network error when nothing answers', async () => {
    const url = await open(() => {});
    await server.close();
    await expect(openHttpFile(url, { ...patient, retries: 1 })).rejects.toMatchObject({ code: 'no-network' });
  });

  it('gives up a connection that brings nothing', async () => {
    const url = await open(() => {});
    await expect(openHttpFile(url, { retries: 0, stallMs: 20 })).rejects.toMatchObject({ code: 'no-network' });
  });

  it('stops when it is aborted', async () => {
    const url = await open((request, response) => {
      if (request.headers.range === 'bytes=0-0') sendBytes(request, response, bytes);
    });
    const file = await openHttpFile(url, patient);
    await expect(file.read(0, 4, AbortSignal.abort(new Error('interrupted')))).rejects.toThrow('interrupted');
  });
});
