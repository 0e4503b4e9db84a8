import { expect, test } from 'vitest';
import { runExample } from '../test/support/run-example';

test('Sinkhorn assignments find all clusters where plain softmax assignments do not', async () => {
  const printed = await runExample('swav-clustering.ts');
  const accuracies = (name: string) =>
    printed
      .match(new RegExp(`${name} +assignments: accuracy (.*)`))![1]!
      .split(', ')
      .map(Number.parseFloat);
  for (const accuracy of accuracies('Sinkhorn')) expect(accuracy).toBeGreaterThan(95);
  for (const accuracy of accuracies('softmax')) expect(accuracy).toBeLessThan(80);
});
