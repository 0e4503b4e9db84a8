import { expect, test } from 'vitest';
import { parityJson } from '../../../../test/support/parity';
import { pythonShuffle } from './python-shuffle';

test('orders are those of Python after random.seed(20)', () => {
  const { shuffle_seed20 } = parityJson('eval_correspondence') as { shuffle_seed20: Record<string, number[]> };
  for (const [count, order] of Object.entries(shuffle_seed20))
    expect([...pythonShuffle(Number(count), 20)].slice(0, order.length), `of ${count}`).toEqual(order);
  expect(Object.keys(shuffle_seed20)).toContain('691');
});

test('no element and one element are left as they are', () => {
  expect([...pythonShuffle(0, 20)]).toEqual([]);
  expect([...pythonShuffle(1, 20)]).toEqual([0]);
});

test.each([
  [-1, 0],
  [1.5, 0],
  [3, -1],
  [3, 2 ** 32],
])('%d elements by seed %d are refused', (count, seed) => {
  expect(() => pythonShuffle(count, seed)).toThrow(expect.objectContaining({ code: 'options' }));
});
