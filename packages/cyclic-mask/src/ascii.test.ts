import { expect, test } from 'vitest';
import { toAscii } from './ascii';

test('a mask is drawn row by row', () => {
  expect(toAscii(Uint8Array.of(1, 0, 0, 0, 1, 1), { height: 2, width: 3 })).toBe('## . .\n .####');
});

test('symbols can be chosen', () => {
  expect(toAscii(Uint8Array.of(1, 0), { height: 1, width: 2 }, { masked: 'x', visible: 'o' })).toBe('xo');
});

test('a mask of another grid is refused', () => {
  expect(() => toAscii(new Uint8Array(5), { height: 2, width: 3 })).toThrow(
    'a mask of 5 patches is not of a 2 x 3 grid',
  );
});
