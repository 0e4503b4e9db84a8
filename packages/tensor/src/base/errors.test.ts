import { expect, test } from 'vitest';
import { markSite, siteOf } from './errors';

test('the line of a call is found behind built-in functions, which have none', () => {
  const mark = markSite();
  mark.stack = [
    'Error',
    '    at Array.forEach (<anonymous>)',
    '    at main (file:///home/me/model.ts:7:3)',
    '    at file:///home/me/main.ts:1:1',
  ].join('\n');
  expect(siteOf(mark)).toBe('file:///home/me/model.ts:7:3');
});
