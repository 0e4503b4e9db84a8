import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startHub } from '../../test/hub-server';
import { printedLines } from '../../test/in-process';
import { temporaryFolder } from '../../test/tiny-model';
import { register } from '../commands/publish';
import { cardFields } from './card-fields';
import { hubToken } from './hub-token';
import { describePlan, planPublishing, publish } from './publish-folder';

let folder: string;
const CARD = '---\nlicense: apache-2.0\n---\n\n# rose\n';
const WEIGHTS = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 251));
const TOKEN = 'hf_secret';

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'onnx'));
  await writeFile(join(folder, 'README.md'), CARD);
  await writeFile(join(folder, 'onnx/model.onnx'), WEIGHTS);
  await writeFile(join(folder, '.hidden'), 'x');
  await symlink('/etc/hostname', join(folder, 'link'));
});
afterAll(() => rm(folder, { recursive: true }));

const options = (hubUrl: string) => ({ repo: 'ada/rose', token: TOKEN, hubUrl, public: false });

describe('publishing', () => {
  test('first says what would be made, then makes it private with every file as it is, large ones too', async () => {
    await using hub = await startHub();
    const plan = await planPublishing(folder, options(hub.url));
    expect(describePlan(plan)).toEqual([
      `ada/rose would be made on ${hub.url} (private, --public makes it one that everybody sees)`,
      '     36 B  README.md  new',
      '  2.9 KiB  onnx/model.onnx  new',
      '2 files, 3.0 KiB, as one commit',
      'not uploaded, as hidden or no plain file: .hidden, link',
      'licence: apache-2.0',
    ]);
    expect(hub.requests).toEqual(['GET /api/models/ada/rose/tree/main']);
    const heard: string[] = [];
    const address = await publish(plan, {
      withoutLicense: false,
      onUpload: (what, path, share) => heard.push([what, path, share].join(' ').trim()),
    });
    expect(address).toBe(`${hub.url}/ada/rose`);
    const made = hub.repositories.get('ada/rose')!;
    expect(made.visibility).toBe('private');
    expect(Object.fromEntries(made.files)).toEqual({ 'README.md': Buffer.from(CARD), 'onnx/model.onnx': WEIGHTS });
    expect(heard).toContain('uploading onnx/model.onnx 1');
    expect([...hub.tokens]).toEqual([`Bearer ${TOKEN}`]);
  });

  test('into a repository that is there says what is replaced and what stays', async () => {
    await using hub = await startHub();
    const files = new Map([
      ['README.md', Buffer.from('old')],
      ['other.bin', Buffer.from('o')],
    ]);
    hub.repositories.set('ada/rose', { visibility: 'public', files });
    const plan = await planPublishing(folder, options(hub.url));
    const lines = describePlan(plan);
    expect(lines).toContain('     36 B  README.md  replaces');
    expect(lines).toContain('1 other files there stay: other.bin');
    await publish(plan, { withoutLicense: false });
    expect(files.get('README.md')).toEqual(Buffer.from(CARD));
    expect(hub.requests).not.toContain('POST /api/repos/create');
  });

  test.each([
    [401, /hub answers 401: the token is not valid/],
    [403, /hub answers 403: the token may not write there/],
    [409, /hub answers 409: the repository is there already/],
    [500, /hub answers 500: it says "out of order"/],
  ])('refused with %i is said in one line without the token', async (status, message) => {
    await using hub = await startHub({ status, error: 'out of\norder' });
    const plan = await planPublishing(folder, options(hub.url));
    const refused = await publish(plan, { withoutLicense: false }).catch((error: Error) => error.message);
    expect(refused).toMatch(message);
    expect(refused).not.toMatch(/\n|hf_secret/);
  });

  test('without a network the plan says so, and nothing is uploaded', async () => {
    const hub = await startHub();
    await hub[Symbol.asyncDispose]();
    const plan = await planPublishing(folder, options(hub.url));
    expect(describePlan(plan)[0]).toMatch(
      /^it is not known what is there: ada\/rose on \S+ cannot be reached: .*ECONNREFUSED/,
    );
    await expect(publish(plan, { withoutLicense: false })).rejects.toThrow(/cannot be reached/);
  });

  test('needs a token, a licence, a name and a card', async () => {
    await using hub = await startHub();
    const { token: _, ...nobody } = options(hub.url);
    const plan = await planPublishing(folder, { ...nobody, token: undefined });
    await expect(publish(plan, { withoutLicense: false })).rejects.toThrow(/no token of the hub: set HF_TOKEN/);
    const bare = { ...plan, card: { license: undefined, toFillIn: [] } };
    await expect(publish(bare, { withoutLicense: false })).rejects.toThrow(/names no licence.*--without-license/);
    await expect(publish(bare, { withoutLicense: true })).rejects.toThrow(/no token/);
    await expect(planPublishing(folder, { ...options(hub.url), repo: '../rose' })).rejects.toThrow(/owner\/name/);
    await expect(planPublishing(join(folder, 'onnx'), options(hub.url))).rejects.toThrow(/no README.md/);
    await expect(planPublishing(join(folder, 'no'), options(hub.url))).rejects.toThrow(/no folder that can be read/);
    expect(hub.repositories.size).toBe(0);
  });
});

test('the hub is reached by way of the proxy that the environment names', async () => {
  await using hub = await startHub();
  const { port } = new URL(hub.url);
  const asked: (string | undefined)[] = [];
  const proxy = createServer().on('connect', ({ url }, socket) => {
    asked.push(url);
    const through = connect(Number(port), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    through.pipe(socket).pipe(through);
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'HTTPS_PROXY', 'NO_PROXY']) vi.stubEnv(name, undefined);
  vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  // the environment is read once
  vi.resetModules();
  try {
    const { planPublishing: planAnew } = await import('./publish-folder');
    await planAnew(folder, options(`http://nowhere.invalid:${port}`));
    expect(asked).toEqual([`nowhere.invalid:${port}`]);
  } finally {
    vi.unstubAllEnvs();
    vi.resetModules();
    proxy.close().closeAllConnections();
  }
});

describe('the command', () => {
  const printed = printedLines();
  const run = async (...words: string[]): Promise<void> => {
    const program = new Command();
    register(program);
    await program.parseAsync(['publish', ...words], { from: 'user' });
  };
  test('uploads nothing without --yes, and prints the command that does', async () => {
    await using hub = await startHub();
    process.env.HF_ENDPOINT = hub.url;
    process.env.HF_TOKEN = TOKEN;
    try {
      await run(folder, '--repo', 'ada/rose');
      expect(printed.at(-1)).toMatch(/^nothing was uploaded; to do so: .*publish \S+ --repo ada\/rose --yes$/);
      expect(hub.repositories.size).toBe(0);
      await run(folder, '--repo', 'ada/rose', '--public', '--yes');
      expect(hub.repositories.get('ada/rose')!.visibility).toBe('public');
      expect(printed.at(-1)).toBe(`published: ${hub.url}/ada/rose`);
      expect(printed.join('\n')).not.toContain(TOKEN);
    } finally {
      delete process.env.HF_ENDPOINT;
      delete process.env.HF_TOKEN;
    }
  });
});

test('what is still to be filled in is found by its mark, and a licence in the front matter only', () => {
  const text = '---\nlicense: # To fill in: an identifier\n---\n\nlicense: mit\n\nTo fill in: how to cite\n';
  expect(cardFields(text)).toEqual({
    license: undefined,
    toFillIn: ['line 2: an identifier', 'line 7: how to cite'],
  });
  expect(cardFields('---\nlicense: mit\n---\n').license).toBe('mit');
  expect(cardFields('---\nlicense: [a\n---\n').license).toBeUndefined();
});

test('the token is that of the variable, else of the file where the tools of the hub keep it', async () => {
  const home = join(folder, 'home');
  await mkdir(join(home, 'huggingface'), { recursive: true });
  await writeFile(join(home, 'huggingface', 'token'), 'hf_file\n');
  expect(await hubToken({ HF_TOKEN: 'hf_a', XDG_CACHE_HOME: home })).toBe('hf_a');
  expect(await hubToken({ XDG_CACHE_HOME: home })).toBe('hf_file');
  expect(await hubToken({ HF_HOME: join(home, 'huggingface') })).toBe('hf_file');
  expect(await hubToken({ HF_TOKEN_PATH: join(home, 'none') })).toBeUndefined();
});
