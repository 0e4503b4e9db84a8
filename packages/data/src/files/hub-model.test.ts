import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serveHub } from '../../test/hub-server';
import type { LoopbackServer } from '../../test/loopback-server';
import { scratchFolder } from '../../test/scratch';
import { fetchHubModel, parseHubModel } from './hub-model';

let hub: LoopbackServer;
let cacheDir: string;
beforeEach(() => {
  cacheDir = scratchFolder();
});
afterEach(() => hub?.close());

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const FILES = {
  'config.json': text('{}'),
  'model.safetensors': text('weights'),
  'onnx/model.onnx': text('graph'),
  '../../outside.safetensors': text('forged'),
};
const options = () => ({ cacheDir, hubUrl: hub.url, http: { pauseMs: 1, retries: 1 } });

it('fetches the chosen files under their own names, once, and works offline afterwards', async () => {
  hub = await serveHub(FILES);
  const seen: string[][] = [];
  const choose = (paths: readonly string[]) => {
    seen.push([...paths]);
    return ['model.safetensors', 'onnx/model.onnx'];
  };
  const told: [number, number][] = [];
  const first = await fetchHubModel('hf://ada/flowers', choose, { ...options(), onProgress: (...at) => told.push(at) });
  expect(first.files).toEqual(['model.safetensors', 'onnx/model.onnx']);
  expect(seen[0]).toContain('config.json');
  expect(readFileSync(path.join(first.folder, 'onnx/model.onnx'), 'utf8')).toBe('graph');
  expect(told.at(-1)).toEqual([12, 12]);
  const asked = hub.requests.length;
  const again = await fetchHubModel('hf://models/ada/flowers@main', choose, options());
  expect([again.folder, hub.requests.length]).toEqual([first.folder, asked + 1]);
  await hub.close();
  const offline = await fetchHubModel('hf://ada/flowers', choose, options());
  expect(offline).toMatchObject({ folder: first.folder, notes: [expect.stringMatching(/no network/)] });
});

it('another content is another folder, a wrong one is refused, and nothing leaves the cache', async () => {
  hub = await serveHub(FILES);
  const one = await fetchHubModel('hf://ada/flowers', () => ['model.safetensors'], options());
  await hub.close();
  hub = await serveHub({ 'model.safetensors': text('others') });
  const two = await fetchHubModel('hf://ada/flowers', () => ['model.safetensors'], options());
  expect(two.folder).not.toBe(one.folder);
  await hub.close();
  hub = await serveHub({ 'model.safetensors': text('changed on the way') }, '0'.repeat(64));
  await expect(fetchHubModel('hf://ada/flowers', () => ['model.safetensors'], options())).rejects.toMatchObject({
    code: 'checksum',
  });
  await hub.close();
  hub = await serveHub(FILES);
  await expect(fetchHubModel('hf://ada/flowers', (paths) => paths.slice(3), options())).rejects.toMatchObject({
    code: 'not-found',
  });
});

it('addresses are a repository, a revision, and a file or folder', () => {
  expect(parseHubModel('hf://facebook/dinov2-small')).toEqual({ repo: 'facebook/dinov2-small', revision: 'main' });
  expect(parseHubModel('hf://a/b@refs/pr/1:onnx/model.onnx')).toEqual({
    repo: 'a/b',
    revision: 'refs/pr/1',
    within: 'onnx/model.onnx',
  });
  for (const wrong of ['hf://', 'hf://a/b:../c', 'hf://../b', 'a/b', 'hf://a/b:', 'hf://a/b:/etc'])
    expect(() => parseHubModel(wrong), wrong).toThrow(expect.objectContaining({ code: 'spec' }));
});
