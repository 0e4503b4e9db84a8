import { expect, it } from 'vitest';
import { roundHalfEven } from './round-half-even';

it('rounds halves to the even neighbour and everything else to the nearest', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, 2.5001, 7].map(roundHalfEven)).toEqual([0, 2, 2, 0, -2, 2, 3, 7]);
});
