import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('position can be read before and not after, and patches that show the same become neighbours', async () => {
  const printed = await runExample('rasa-on-features.ts');
  const r2 = [...printed.matchAll(/R\^2 (\d\.\d+)/g)].map((match) => Number(match[1]));
  expect(r2[0]).toBeGreaterThan(0.9);
  expect(r2.at(-1)).toBeLessThan(0.1);
  const [before, after] = [/before: (\d+)/, /after: (\d+)/].map((pattern) => Number(pattern.exec(printed)![1]));
  // four kinds: 16 of 64 agree by chance
  expect(before).toBeLessThan(32);
  expect(after).toBeGreaterThan(50);
});
