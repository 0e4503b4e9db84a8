import { expect, test } from 'vitest';
import { editDistance, nearestOf } from './misspelt';

test.each([
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['epohcs', 'epochs', 1],
  ['same', 'same', 0],
])('%s to %s takes %i edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});

test('a name is suggested only if it is close', () => {
  expect(nearestOf('warmup_epoch', ['epochs', 'warmup_epochs'])).toBe('warmup_epochs');
  expect(nearestOf('zebra', ['epochs', 'lr'])).toBeUndefined();
  expect(nearestOf('x', ['lr'])).toBeUndefined();
});
