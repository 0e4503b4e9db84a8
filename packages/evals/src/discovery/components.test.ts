import { expect, test } from 'vitest';
import { componentMask, components } from './components';

const mask = (rows: readonly string[]) => Uint8Array.from(rows.join(''), (cell) => Number(cell === '#'));

test('parts touch along sides, not at corners, and are numbered in reading order', () => {
  const rows = ['.#..#', '##..#', '..#..', '#.##.'];
  const found = components(mask(rows), [4, 5]);
  expect([...found.labels].join('')).toBe(['01002', '11002', '00300', '40330'].join(''));
  expect(found.sizes).toEqual([11, 3, 2, 3, 1]);
  expect(found.boxes.slice(1)).toEqual([
    [0, 0, 2, 2],
    [0, 4, 2, 5],
    [2, 2, 4, 4],
    [3, 0, 4, 1],
  ]);
  expect(componentMask(found, 3)).toEqual(mask(['.....', '.....', '..#..', '..##.']));
});

test('a row does not go on in the next one', () => {
  expect(components(mask(['..#', '#..']), [2, 3]).sizes).toEqual([4, 1, 1]);
});

test('a part that winds is one', () => {
  const { sizes } = components(mask(['#####', '....#', '#####', '#....', '#####']), [5, 5]);
  expect(sizes).toEqual([8, 17]);
});

test('nothing and everything', () => {
  expect(components(mask(['...', '...']), [2, 3])).toMatchObject({ sizes: [6], boxes: [[0, 0, 2, 3]] });
  expect(components(mask(['###', '###']), [2, 3])).toMatchObject({ sizes: [0, 6] });
});
