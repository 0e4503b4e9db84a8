import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { openHttpFile } from './http-file';

const asked: string[] = [];
const server = createServer((_, answer) => {
  answer.writeHead(206, { 'content-range': 'bytes 0-0/1', 'content-length': 1, etag: '"a"' }).end('x');
});
const proxy = createServer().on('connect', (request, socket) => {
  asked.push(request.url ?? '');
  const through = connect(portOf(server), '127.0.0.1', () =>
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n'),
  );
  through.pipe(socket).pipe(through);
});

const portOf = (listening: Server): number => (listening.address() as AddressInfo).port;
const listen = (one: Server): Promise<void> => new Promise((done) => one.listen(0, '127.0.0.1', () => done()));

beforeAll(() => Promise.all([listen(server), listen(proxy)]));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
  asked.length = 0;
});
afterAll(() => {
  for (const one of [server, proxy]) one.close().closeAllConnections();
});

/** A file of a host that is nowhere: only the proxy knows a way. */
async function open(host: string, variables: Record<string, string>): Promise<number> {
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'])
    vi.stubEnv(name, variables[name]);
  // the environment is read once
  const { openHttpFile: openAnew }: { openHttpFile: typeof openHttpFile } = await import('./http-file');
  return (await openAnew(`http://${host}:${portOf(server)}/a`, { retries: 0 })).size;
}

test.each(['HTTP_PROXY', 'http_proxy'])('a file is read by way of the proxy that %s names', async (name) => {
  expect(await open('nowhere.invalid', { [name]: `http://127.0.0.1:${portOf(proxy)}` })).toBe(1);
  expect(asked).toEqual([`nowhere.invalid:${portOf(server)}`]);
});

test('a host of NO_PROXY is asked itself', async () => {
  expect(await open('127.0.0.1', { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1' })).toBe(1);
});

test('a proxy that is not there is an error that names its address', async () => {
  await expect(open('nowhere.invalid', { HTTP_PROXY: 'http://127.0.0.1:9' })).rejects.toThrow(
    /nowhere\.invalid.* cannot be reached: .*ECONNREFUSED 127\.0\.0\.1:9/,
  );
});
