import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('with five pictures per class gradient directions name the textures, pixels at random phases do not', async () => {
  const lines = (await runExample('knn-on-any-features.ts')).split('\n');
  const top1 = (features: string): number[] =>
    lines.filter((line) => line.includes(features)).map((line) => Number(/ ([\d.]+) +top-1 /.exec(line)?.[1]));
  const [histogram, pixels] = [top1('gradient histogram'), top1('pixels')];
  expect([histogram.length, pixels.length]).toEqual([2, 2]);
  for (const value of histogram) expect(value).toBeGreaterThan(95);
  expect(pixels[0]).toBeGreaterThan(90);
  expect(pixels[1]).toBeLessThan(85);
});
