/** A hub with one repository, `ada/flowers`, which is a data set and a model, for tests of what is fetched from it. */

import { createHash } from 'node:crypto';
import { type LoopbackServer, sendBytes, serve } from './loopback-server';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * Starts the hub.
 * @param oid the hash that every file is listed with, instead of its own
 */
export function serveHub(files: Readonly<Record<string, Uint8Array>>, oid?: string): Promise<LoopbackServer> {
  return serve((request, response) => {
    const { pathname } = new URL(request.url!, 'http://hub');
    if (/^\/api\/(datasets|models)\/ada\/flowers\/tree\/main$/.test(pathname)) {
      const entries = Object.entries(files).map(([name, bytes]) => listed(name, bytes, oid ?? sha256(bytes)));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(entries));
      return;
    }
    const name = pathname.replace(/^(\/datasets)?\/ada\/flowers\/resolve\/main\//, '');
    const bytes = files[decodeURIComponent(name)];
    if (bytes) sendBytes(request, response, bytes);
    else response.writeHead(404).end();
  });
}

function listed(name: string, bytes: Uint8Array, oid: string): object {
  const large = /\.(parquet|tar|safetensors)$/.test(name);
  const lfs = large && { lfs: { oid, size: bytes.length, pointerSize: 130 } };
  return { type: 'file', path: name, size: bytes.length, oid: oid.slice(0, 40), ...lfs };
}
