import { expect, test, vi } from 'vitest';
import { runExample } from '../test/support/run-example';

// a hundred steps compute for longer than Mesa takes to optimise
vi.stubEnv('GALLIVM_PERF', undefined);

test('the loss starts where a student that knows nothing has it, and falls; the targets stay between uniform and one-hot', async () => {
  const printed = await runExample('pretrain-in-a-page.ts');
  const chance = Number(printed.match(/Knowing nothing costs (\d+\.\d+)/)![1]);
  const numbers = (name: string) =>
    [...printed.matchAll(new RegExp(`${name} ([\\d.]+)`, 'g'))].map(([, x]) => Number(x));
  const losses = numbers('loss');
  expect(losses).toHaveLength(10);
  expect(Math.abs(losses[0]! - chance)).toBeLessThan(0.5);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.5);
  for (const entropy of numbers('entropy')) expect(Math.abs(entropy - 0.5)).toBeLessThan(0.45);
});
