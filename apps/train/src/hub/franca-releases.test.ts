import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { FRANCA_RELEASES, fetchReleased, releasedName } from './franca-releases';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A site with these files, by path; the second value lists what was asked for. */
async function site(files: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const text = files[url];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cacheDir = await mkdtemp(join(tmpdir(), 'franca-releases-'));
  folders.push(cacheDir);
  return { asked, places: { site: `${url}/files`, api: `${url}/api`, cacheDir } };
}

const NAME = 'franca_vitb14_Dinov2_In21K_518';

test('weights come with their planes, checked by the sums of the release, once', async () => {
  const sums = `${hash('weights')}  ${NAME}.pth\n${hash('planes')} *${NAME}_rasa.pth\n`;
  const { asked, places } = await site({
    '/files/v1.1.0/SHA256SUMS': sums,
    [`/files/v1.1.0/${NAME}.pth`]: 'weights',
    [`/files/v1.1.0/${NAME}_rasa.pth`]: 'planes',
  });
  const { file, rasaFile, notes } = await fetchReleased(NAME, places);
  expect([await readFile(file, 'utf8'), await readFile(rasaFile!, 'utf8')]).toEqual(['weights', 'planes']);
  expect(notes).toEqual([
    expect.stringMatching(/v1.1.0, for research only/),
    expect.stringMatching(/does not record how/),
  ]);
  const before = asked.length;
  await fetchReleased(NAME, places);
  expect(asked.length).toBe(before);
});

test('sums of the older release are those that the site of the release tells', async () => {
  const assets = ['.pth', '_rasa.pth'].map((end) => ({
    name: `franca_vitb14_In21K${end}`,
    digest: `sha256:${hash(end)}`,
  }));
  const { places } = await site({
    '/api/v1.0.0': JSON.stringify({ assets }),
    '/files/v1.0.0/franca_vitb14_In21K.pth': '.pth',
    '/files/v1.0.0/franca_vitb14_In21K_rasa.pth': 'not what was published',
  });
  await expect(fetchReleased('franca_vitb14_In21K', places)).rejects.toMatchObject({ code: 'checksum' });
});

test('what no checksum is published of is not fetched', async () => {
  const { asked, places } = await site({ '/files/v1.1.0/SHA256SUMS': `${hash('x')}  other.pth\n` });
  await expect(fetchReleased(NAME, places)).rejects.toThrow(
    /publishes no checksum of franca_vitb14_Dinov2_In21K_518.pth/,
  );
  expect(asked).toEqual(['/files/v1.1.0/SHA256SUMS']);
});

test('names are taken in any case, with or without .pth', () => {
  for (const name of Object.keys(FRANCA_RELEASES))
    for (const text of [name, `${name}.pth`, name.toLowerCase()]) expect(releasedName(text)).toBe(name);
  expect(releasedName('franca_vitb14')).toBeUndefined();
});
