import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCli, tinyOverrides } from './tiny-run';

let folder: string;

/** 95 pictures and, one in twenty, a file of every kind that cannot be used. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-bad-'));
  const photos = join(folder, 'photos');
  await mkdir(photos);
  const picture = (at: number) =>
    sharp({ create: { width: 40, height: 32, channels: 3, background: { r: at, g: 2 * at, b: 255 - at } } });
  const jpeg = await picture(0).jpeg().toBuffer();
  for (let at = 0; at < 95; at++) await writeFile(join(photos, `${at}.jpg`), await picture(at).jpeg().toBuffer());
  const forged = await picture(0).png().toBuffer();
  forged.writeUInt32BE(60_000, 16); // width and height in the IHDR chunk, then its checksum
  forged.writeUInt32BE(60_000, 20);
  forged.writeUInt32BE(crc32(forged.subarray(12, 29)), 29);
  const bad: Record<string, Uint8Array> = {
    'empty.jpg': new Uint8Array(0),
    'truncated.jpg': jpeg.subarray(0, jpeg.length - 60),
    'corrupt.jpg': jpeg.map((byte, i) => (i > 20 && i % 3 === 0 ? byte ^ 0xff : byte)),
    'forged.png': forged,
    'page.jpg': Buffer.from('<html>404</html>'),
  };
  for (const [name, bytes] of Object.entries(bad)) await writeFile(join(photos, name), bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (out: string, ...overrides: string[]) =>
  startCli([
    ...['pretrain', '-c', 'cpu-tiny', '--data', join(folder, 'photos'), '--out', join(folder, out)],
    ...tinyOverrides(30),
    ...['franca.checkpoint.every=30', 'franca.log.interval=30', ...overrides],
  ]).done;

test('a run trains on, and counts and names what it could not use', async () => {
  const { status, output } = await start('on', 'franca.data.held_out_share=0.01');
  expect(status, output).toBe(0);
  for (const reason of [
    'empty.jpg: the file has no bytes',
    'truncated.jpg: truncated or corrupt',
    'corrupt.jpg: truncated or corrupt',
    'forged.png: more than 67108864 pixels',
    'page.jpg: not an image',
  ])
    expect(output.split(`skipped ${reason}`), reason).toHaveLength(2);
  expect(output).toMatch(/\d+ of 12\d images drawn could not be used and were skipped/);
});

test('above the set share it stops with the list, keeps what was learned and says how to go on', async () => {
  const { status, output } = await start('stopped', 'franca.data.max_bad_share=0.01');
  expect(status, output).toBe(1);
  // of at least 256 images one in a hundred: the third is too many
  expect(output).toMatch(
    /3 of \d+ images drawn could not be used, more than the allowed share of 0.01:\n( {2}\S+: [a-z-]+: .*\n){3}[Rr]emove/,
  );
  expect(output).toMatch(/franca\.data\.max_bad_share sets the allowed share/);
  const resumed = await start('stopped', '--resume', 'franca.data.max_bad_share=0.5');
  expect(resumed.status, resumed.output).toBe(0);
  expect(resumed.output).toMatch(/resuming \S+ after step [1-9]/);
  expect(output).toMatch(/continue after step [1-9]\d* with: .* pretrain --resume --out/);
});
