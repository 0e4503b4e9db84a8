import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePng } from '../test/decode-png';
import { contactSheet } from './charts/image-grid';
import { filledImage } from './drawing/image';
import { figure, label } from './drawing/svg';
import { figureToPng, writeFigure } from './node';

const text = figure({ width: 60, height: 20 }, 'text', [label(2, 15, 'Inter', { size: 16 })]);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-viz-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a figure becomes as many pixels as its size times the scale', () => {
  const { width, height } = decodePng(figureToPng(text, { scale: 3 }));
  expect([width, height]).toEqual([180, 60]);
});

test('text is drawn even where no font is installed, and twice the same', () => {
  const png = figureToPng(text);
  const darkness = decodePng(png).data.filter((value) => value < 128).length;
  expect(darkness).toBeGreaterThan(300);
  expect(figureToPng(text)).toEqual(png);
});

test('embedded pictures keep their colours', () => {
  const sheet = contactSheet([{ image: filledImage(10, 10, [200, 100, 50]) }], 1, { cellSize: 10 });
  const { data, width } = decodePng(figureToPng(sheet, { scale: 1 }));
  const middle = (11 * width + 19) * 3;
  expect([...data.subarray(middle, middle + 3)]).toEqual([200, 100, 50]);
});

test('the background is white unless another is asked for', () => {
  expect([...decodePng(figureToPng(text)).data.subarray(0, 3)]).toEqual([255, 255, 255]);
  expect([...decodePng(figureToPng(text, { background: '#102030' })).data.subarray(0, 3)]).toEqual([16, 32, 48]);
});

test('files are written by their ending and nothing is left beside them', async () => {
  await writeFigure(join(folder, 'a.svg'), text);
  await writeFigure(join(folder, 'a.png'), text, { scale: 1 });
  expect(await readFile(join(folder, 'a.svg'), 'utf8')).toBe(text.svg);
  expect(decodePng(await readFile(join(folder, 'a.png'))).width).toBe(60);
  expect((await readdir(folder)).sort()).toEqual(['a.png', 'a.svg']);
});

test('refuses other endings, absurd scales and a figure that is no SVG', async () => {
  await expect(writeFigure(join(folder, 'a.jpg'), text)).rejects.toThrow(/neither .svg nor .png/);
  expect(() => figureToPng(text, { scale: 0 })).toThrow(/scale is 0/);
  expect(() => figureToPng({ ...text, svg: '<svg' })).toThrow(/'text' cannot be drawn/);
});
