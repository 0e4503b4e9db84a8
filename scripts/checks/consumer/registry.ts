/** A registry of npm on this machine, for a moment: what `npm install @franca/vit` finds before anything is published. It has no other packages. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Manifest } from '../workspace';

/** One version of a package, as `npm publish` would send it. */
export interface Release {
  readonly manifest: Manifest;
  /** Of the tarball. */
  readonly path: string;
}

export interface Registry {
  readonly url: string;
  /** Publishes one more. The first version of a package stays its `latest`. */
  add(release: Release): void;
}

/** Serves packages until the process ends; it does not keep it alive. */
export async function serveRegistry(first: readonly Release[]): Promise<Registry> {
  const releases = [...first];
  const server = createServer(({ url = '/' }, response) => {
    const path = decodeURIComponent(url.slice(1));
    const answer = answerTo(path, releases, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    // another run has other packages under the same names and perhaps the same port: npm is to remember nothing
    response.writeHead(answer ? 200 : 404, { 'cache-control': 'no-store' }).end(answer ?? '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, add: (release) => releases.push(release) };
}

/** `<name>` gives the record of a package, `-/<n>.tgz` the tarball of the nth release. */
function answerTo(path: string, releases: readonly Release[], url: string): string | Buffer | undefined {
  const tarball = /^-\/(\d+)\.tgz$/.exec(path)?.[1];
  if (tarball) {
    const release = releases[Number(tarball)];
    return release && readFileSync(release.path);
  }
  const versions = releases
    .map((release, at) => ({ ...release, at }))
    .filter(({ manifest }) => manifest.name === path)
    .map(({ manifest, path: file, at }) => {
      const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
      return { ...manifest, dist: { tarball: `${url}/-/${at}.tgz`, integrity } };
    });
  const [latest] = versions;
  if (!latest) return undefined;
  return JSON.stringify({
    name: path,
    'dist-tags': { latest: latest.version },
    versions: Object.fromEntries(versions.map((manifest) => [manifest.version, manifest])),
  });
}
