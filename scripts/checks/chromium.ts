/** Pages in Debian's Chromium, whose WebGPU computes on the processor (SwiftShader), served from this machine. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

/** Milliseconds until a page must have its outcome. */
const PATIENCE = 120_000;

/** A name that leads here and is none of those that browsers take for secure. */
const INSECURE_HOST = 'insecure.test';

/** WebGPU without a GPU; a root shell has no sandbox. */
const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
];

export interface Page {
  /** JavaScript module that sets `outcome` of the window. */
  readonly script: string;
  /** From an address that is no secure context. */
  readonly insecure?: true;
  /** Files that the page may fetch, by ranges too: each under the address that its own names in the parameter of the same name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Opens every page in turn; resolves to what each leaves as `outcome`. The browser is gone afterwards, whatever happens. */
export async function outcomesInChromium<T>(pages: readonly Page[]): Promise<T[]> {
  const executablePath = findChromium();
  const server = await serve(pages);
  const { port } = server.address() as AddressInfo;
  try {
    const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE });
    try {
      const outcomes: T[] = [];
      for (const [i, { insecure, files = {} }] of pages.entries()) {
        const page = await browser.newPage();
        const errors: string[] = [];
        page.on('pageerror', ({ message }) => errors.push(message));
        const query = new URLSearchParams(Object.keys(files).map((name) => [name, `/${i}/${name}`]));
        const host = insecure ? INSECURE_HOST : '127.0.0.1';
        await page.goto(`http://${host}:${port}/${i}?${query}`, { timeout: PATIENCE });
        await page.waitForFunction('globalThis.outcome', undefined, { timeout: PATIENCE }).catch((error: Error) => {
          throw new Error([`page ${i} in Chromium: ${error.message}`, ...errors].join('; '));
        });
        outcomes.push((await page.evaluate('globalThis.outcome')) as T);
        await page.close();
      }
      return outcomes;
    } finally {
      await browser.close();
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Page `n` is `/n`, its script `/n.js`, its files `/n/<name>`. */
function serve(pages: readonly Page[]): Promise<Server> {
  const server = createServer((request, response) => {
    const [, index = '', isScript, name = ''] = /^\/(\d+)(\.js)?(?:\/(\w+))?(?:\?|$)/.exec(request.url ?? '') ?? [];
    const page = pages[Number(index)];
    if (index === '' || !page) return response.writeHead(404).end();
    const file = page.files?.[name];
    if (file) return sendFile(file, request, response);
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    return response.end(isScript ? page.script : `<!doctype html><script type="module" src="/${index}.js"></script>`);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** A file, or the range of it that is asked for. */
function sendFile(path: string, { headers }: IncomingMessage, response: ServerResponse): void {
  const { size } = statSync(path);
  const [, from = '', to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const [start, end] = [Number(from), Math.min(size - 1, to ? Number(to) : size - 1)];
  response.writeHead(from ? 206 : 200, {
    'content-length': end - start + 1,
    ...(from && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  createReadStream(path, { start, end }).pipe(response);
}

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  if (!found) throw new Error('there is no chromium; apt-get install --no-install-recommends chromium');
  return found;
}
