import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('colour histograms pair views that were only cropped, and far fewer whose colours were jittered', async () => {
  const printed = await runExample('simclr-views.ts');
  const [cropped, jittered] = [...printed.matchAll(/of (\d+) of 100 pictures/g)].map(([, found]) => Number(found));
  expect(cropped).toBeGreaterThan(2 * jittered!);
  expect(jittered).toBeGreaterThanOrEqual(0);
});
