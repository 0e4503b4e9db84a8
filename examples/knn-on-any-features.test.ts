import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('with five pictures per class gradient directions name the textures, pixels at random phases do not', async () => {
  const printed = await runExample('knn-on-any-features.ts');
  const values = (features: string) =>
    [...printed.matchAll(new RegExp(`│ ${features} +│ top-1 +│ ([\\d.]+)`, 'g'))].map(([, value]) => Number(value));
  const [histogram, pixels] = [values('gradient histogram'), values('pixels')];
  for (const value of histogram) expect(value).toBeGreaterThan(95);
  expect(pixels[0]).toBeGreaterThan(90);
  expect(pixels[1]).toBeLessThan(85);
});
