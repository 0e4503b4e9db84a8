import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('KoLeo spreads points that began together', async () => {
  const [before, after] = [...(await runExample('koleo-spread.ts')).matchAll(/([\d.]+) degrees/g)].map(([, angle]) =>
    Number(angle),
  );
  expect(before).toBeLessThan(5);
  // 24 points fit 43.7 degrees apart at best
  expect(after).toBeGreaterThan(25);
  expect(after).toBeLessThan(43.8);
});
