import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('short prefixes of a nested embedding tell classes apart better than those of a whole one', async () => {
  const printed = await runExample('matryoshka-classifier.ts');
  const row = (name: string) =>
    [...printed.match(new RegExp(`${name} +(.*)`))![1]!.matchAll(/(\d+)%/g)].map(([, value]) => Number(value));
  const [nested, whole] = [row('nested'), row('whole')];
  expect(nested[0]! - whole[0]!).toBeGreaterThan(8);
  expect(nested[1]! - whole[1]!).toBeGreaterThan(3);
  // all components are worth the same to both
  expect(nested[4]!).toBeGreaterThan(whole[4]! - 5);
});
