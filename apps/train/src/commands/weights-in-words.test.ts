/** What every command with weights says about them: assumed heads and resampled positions, on the screen and in what it writes. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '@franca/checkpoint';
import type { EvalRecord } from '@franca/evals';
import { CONFIG_KEY, decodeVitConfig } from '@franca/vit';
import { encode } from 'fast-png';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporaryFolder, tinyConfig, tinyTensors } from '../../test/tiny-model';
import { configMetadata } from '../features/config-of-file';
import { runCli } from '../run-cli';

const heads = 'heads: 2 assumed, 8 wide, as in DINOv2, DeiT and timm at width 16; --heads says otherwise';
const resampled = 'positions resampled from 4 x 4 (32 px) to 2 x 2 (16 px), bicubic, not antialiased, offset 0.1';

let folder: string;
let weights: readonly string[];
const printed: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  const path = join(folder, 'tiny.safetensors');
  await writeSafetensors(path, tinyTensors(), configMetadata({ config: tinyConfig, assumed: ['numHeads'] }));
  weights = ['-w', path, '--cache', join(folder, 'cache')];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const world = ['-d', 'world:length=12:size=32:classes=3', '--size', '16'];

test('features prints the notes and keeps them, with the configuration, in the file', async () => {
  const out = join(folder, 'features.safetensors');
  expect(await runCli(['features', ...weights, ...world, '-o', out])).toBe(0);
  expect(printed).toEqual(expect.arrayContaining([`note: ${heads}`, `note: ${resampled}`]));
  await using file = await openSafetensors(out);
  expect(JSON.parse(file.metadata.notes!)).toEqual([heads, resampled]);
  expect(decodeVitConfig(file.metadata[CONFIG_KEY]!)).toEqual({ config: tinyConfig, assumed: ['numHeads'] });
});

test('records of an evaluation have them, and what the command line says in their place', async () => {
  const json = join(folder, 'knn.json');
  const run = async (...more: string[]) => {
    expect(await runCli(['eval', 'knn', ...weights, ...world, '-k', '3', '--json', json, ...more])).toBe(0);
    return (JSON.parse(await readFile(json, 'utf8')) as EvalRecord[])[0]!;
  };
  expect((await run()).notes).toEqual([heads, resampled]);
  const antialiased = resampled.replace('not antialiased, offset 0.1', 'antialiased, offset 0');
  const given = await run('--heads', '2', '--interpolate-offset', '0', '--interpolate-antialias');
  expect(given.notes).toEqual([antialiased]);
  expect((await run('--size', '32')).notes).toEqual([heads]);
  expect(await runCli(['eval', 'knn', ...weights, ...world, '--interpolate-offset', '1.5'])).toBe(2);
});

test('show states the size that it draws at, and refuses one of no whole patches', async () => {
  const picture = join(folder, 'picture.png');
  const data = Uint8Array.from({ length: 48 * 48 * 3 }, (_, i) => (i * 37) % 251);
  await writeFile(picture, encode({ width: 48, height: 48, channels: 3, data }));
  const show = (...more: string[]) => runCli(['show', picture, ...weights, '-o', join(folder, 'maps'), ...more]);
  expect(await show()).toBe(0);
  expect(printed).toContain(`note: ${resampled.replace('2 x 2 (16 px)', '8 x 8 (64 px)')}`);
  expect(await show('--size', '30')).toBe(2);
});
