/** A hub in this process: takes what the client of `@huggingface/hub` sends to make a repository and to commit into it, and keeps it. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface HubServer extends AsyncDisposable {
  readonly url: string;
  /** Repositories by name: whether they are private, and the files in them. */
  readonly repositories: Map<string, { readonly visibility: string; readonly files: Map<string, Buffer> }>;
  /** What it was asked, `POST /api/repos/create`, and tokens that came along. */
  readonly requests: string[];
  readonly tokens: Set<string>;
}

/** @param refuse an answer to every request that writes, in place of doing it */
export async function startHub(refuse?: { readonly status: number; readonly error: string }): Promise<HubServer> {
  const repositories: HubServer['repositories'] = new Map();
  const requests: string[] = [];
  const tokens = new Set<string>();
  /** Large files by hash, uploaded before they are committed. */
  const uploaded = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const { method, pathname, body } = await read(request);
    requests.push(`${method} ${pathname}`);
    if (request.headers.authorization) tokens.add(request.headers.authorization);
    const answer =
      method !== 'GET' && refuse ? [refuse.status, { error: refuse.error }] : respond(method, pathname, body);
    const [status, json] = answer as [number, unknown];
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function respond(method: string, path: string, body: Buffer): [number, unknown] {
    if (path === '/api/repos/create') {
      const { organization, name, visibility } = JSON.parse(`${body}`);
      repositories.set(`${organization}/${name}`, { visibility, files: new Map() });
      return [200, { url: `${url}/${organization}/${name}`, id: '1' }];
    }
    if (method === 'PUT') {
      uploaded.set(createHash('sha256').update(body).digest('hex'), body);
      return [200, {}];
    }
    const [, name, what] =
      /^(?:\/api\/models)?\/([^/]+\/[^/]+?)(?:\.git)?\/(tree|preupload|info|commit)\//.exec(path) ?? [];
    const repository = repositories.get(name ?? '');
    if (!repository) return [404, { error: 'Repository not found' }];
    if (what === 'tree')
      return [
        200,
        [...repository.files].map(([file, { length }]) => ({ type: 'file', path: file, size: length, oid: 'a' })),
      ];
    if (what === 'preupload') {
      const files = JSON.parse(`${body}`).files as { path: string }[];
      const mode = (file: string) => (/\.(safetensors|onnx)$/.test(file) ? 'lfs' : 'regular');
      return [200, { files: files.map((file) => ({ path: file.path, uploadMode: mode(file.path) })) }];
    }
    if (what === 'info') {
      const objects = JSON.parse(`${body}`).objects as { oid: string; size: number }[];
      const href = (oid: string) => `${url}/upload/${oid}`;
      return [
        200,
        {
          transfer: 'basic',
          objects: objects.map((one) => ({ ...one, actions: { upload: { href: href(one.oid) } } })),
        },
      ];
    }
    for (const line of `${body}`.split('\n')) {
      const { key, value } = JSON.parse(line);
      if (key === 'file') repository.files.set(value.path, Buffer.from(value.content, value.encoding));
      if (key === 'lfsFile') repository.files.set(value.path, uploaded.get(value.oid)!);
    }
    return [200, { success: true, commitOid: 'c', commitUrl: `${url}/${name}/commit/c`, hookOutput: '' }];
  }

  return {
    url,
    repositories,
    requests,
    tokens,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<{ method: string; pathname: string; body: Buffer }> {
  const { pathname } = new URL(request.url!, 'http://hub');
  return { method: request.method!, pathname, body: await buffer(request) };
}
