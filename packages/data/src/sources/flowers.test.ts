import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackServer, sendBytes, serve } from '../../test/loopback-server';
import { keysOf, scratchFolder } from '../../test/scratch';
import { FLOWER_PHOTOS, type FlowerArchive, type FlowerProgress, type Flowers, fetchFlowers } from './flowers';
import { folderSource } from './folder';

let archiveBytes: Uint8Array;
let server: LoopbackServer;
let cacheDir: string;
const http = { pauseMs: 1 };

beforeAll(async () => {
  const tar = pack();
  tar.entry({ name: 'flower_photos', type: 'directory' });
  tar.entry({ name: 'flower_photos/LICENSE.txt' }, 'CC BY 2.0, by these photographers: ...');
  // Incompressible content, so that the archive arrives in several pieces.
  const photo = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 255));
  for (const name of ['roses/1_a_n.jpg', 'roses/2_b.jpg', 'tulips/3_c_m.jpg'])
    tar.entry({ name: `flower_photos/${name}` }, photo);
  tar.entry({ name: '../outside.jpg' }, 'escapes');
  tar.entry({ name: 'flower_photos/roses/link.jpg', type: 'symlink', linkname: '/etc/passwd' });
  tar.finalize();
  archiveBytes = gzipSync(await buffer(tar));
});
beforeEach(() => {
  cacheDir = path.join(scratchFolder(), 'cache');
});
afterEach(() => server?.close());

const archive = (): FlowerArchive => ({
  url: `${server.url}/flower_photos.tgz`,
  bytes: archiveBytes.length,
  sha256: createHash('sha256').update(archiveBytes).digest('hex'),
});
const start = async (handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> => {
  server = await serve(handler);
};
const whole = (request: IncomingMessage, response: ServerResponse): void => sendBytes(request, response, archiveBytes);
const fetchIt = (options = {}): Promise<Flowers> => fetchFlowers({ cacheDir, archive: archive(), http, ...options });

describe('fetchFlowers', () => {
  it('fetches, checks and unpacks the archive once, and reports progress', async () => {
    await start(whole);
    const progress: FlowerProgress[] = [];
    const flowers = await fetchIt({ onProgress: (each: FlowerProgress) => progress.push(each) });
    expect(flowers.root).toBe(path.join(cacheDir, 'flower_photos'));
    expect(keysOf(await folderSource(flowers.root))).toEqual(['roses/1_a_n.jpg', 'roses/2_b.jpg', 'tulips/3_c_m.jpg']);
    expect(readFileSync(path.join(flowers.root, 'LICENSE.txt'), 'utf8')).toMatch(/CC BY 2\.0/);
    expect(flowers.attribution).toMatch(/CC BY 2\.0.*LICENSE\.txt/);
    for (const phase of ['download', 'unpack'] as const) {
      const last = progress.filter((each) => each.phase === phase).at(-1);
      expect(last).toEqual({ phase, done: archiveBytes.length, total: archiveBytes.length });
    }
    expect(await fetchIt()).toEqual(flowers);
    expect(server.requests).toEqual(['GET /flower_photos.tgz']);
    expect(readdirSync(cacheDir)).toEqual(['flower_photos']);
  });

  it('writes nothing outside its folder and follows no link of the archive', async () => {
    await start(whole);
    const { root } = await fetchIt();
    expect(existsSync(path.join(cacheDir, '../outside.jpg'))).toBe(false);
    expect(existsSync(path.join(cacheDir, 'outside.jpg'))).toBe(false);
    expect(readdirSync(path.join(root, 'roses'))).toEqual(['1_a_n.jpg', '2_b.jpg']);
  });

  it('continues where the connection broke', async () => {
    const half = Math.floor(archiveBytes.length / 2);
    await start((request, response) => {
      if (request.headers.range) return whole(request, response);
      response.writeHead(200, { 'content-length': archiveBytes.length });
      response.write(archiveBytes.subarray(0, half), () => setTimeout(() => response.destroy(), 20));
    });
    const { root } = await fetchIt();
    expect(existsSync(path.join(root, 'LICENSE.txt'))).toBe(true);
    expect(server.requests[1]).toMatch(/^GET \/flower_photos\.tgz bytes=[1-9]\d*-$/);
  });

  it('continues the part of a process that was killed', async () => {
    await start(whole);
    mkdirSync(cacheDir);
    writeFileSync(path.join(cacheDir, 'flower_photos.tgz.part'), archiveBytes.subarray(0, 1000));
    await fetchIt();
    expect(server.requests).toEqual(['GET /flower_photos.tgz bytes=1000-']);
  });

  it('starts over when that part turns out to be wrong', async () => {
    await start(whole);
    mkdirSync(cacheDir);
    writeFileSync(path.join(cacheDir, 'flower_photos.tgz.part'), 'these are other bytes');
    await fetchIt();
    expect(server.requests).toEqual(['GET /flower_photos.tgz bytes=21-', 'GET /flower_photos.tgz']);
  });

  it('starts over when the server knows no ranges', async () => {
    await start((_, response) => response.end(archiveBytes));
    mkdirSync(cacheDir);
    writeFileSync(path.join(cacheDir, 'flower_photos.tgz.part'), archiveBytes.subarray(0, 1000));
    const { root } = await fetchIt();
    expect(existsSync(path.join(root, 'tulips/3_c_m.jpg'))).toBe(true);
  });

  it('unpacks again what was downloaded but not unpacked', async () => {
    await start(whole);
    mkdirSync(cacheDir);
    writeFileSync(path.join(cacheDir, 'flower_photos.tgz'), archiveBytes);
    await fetchIt();
    expect(server.requests).toEqual([]);
  });

  it('is fetched once by processes that start together', async () => {
    await start(whole);
    await Promise.all([fetchIt(), fetchIt(), fetchIt()]);
    expect(server.requests).toHaveLength(1);
  });

  it('refuses other bytes than the published ones, and leaves none of them', async () => {
    await start((request, response) => sendBytes(request, response, Uint8Array.from(archiveBytes).fill(0, 500, 600)));
    await expect(fetchIt()).rejects.toMatchObject({ code: 'checksum' });
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('is a network error when there is no network, so that a caller can fall back', async () => {
    await start(whole);
    const gone = archive();
    await server.close();
    const attempt = fetchFlowers({ cacheDir, archive: gone, http: { pauseMs: 1, retries: 1 } });
    await expect(attempt).rejects.toMatchObject({ code: 'no-network' });
  });

  it('refuses before it starts when the disk has no room', async () => {
    await start(whole);
    await expect(fetchIt({ archive: { ...archive(), bytes: 2 ** 60 } })).rejects.toMatchObject({ code: 'disk-full' });
    expect(server.requests).toEqual([]);
  });

  it('keeps the part when it is interrupted', async () => {
    const stop = new AbortController();
    await start((_, response) => {
      response.writeHead(200, { 'content-length': archiveBytes.length });
      response.write(archiveBytes.subarray(0, 1000));
    });
    const onProgress = (): void => stop.abort(new Error('interrupted'));
    await expect(fetchIt({ onProgress, signal: stop.signal })).rejects.toThrow('interrupted');
    expect(readdirSync(cacheDir)).toEqual(['flower_photos.tgz.part']);
  });

  it('knows the published archive', () => {
    expect(FLOWER_PHOTOS.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(FLOWER_PHOTOS.bytes / 2 ** 20).toBeCloseTo(218.21, 2); // the size that the TensorFlow Datasets catalog gives
  });
});
