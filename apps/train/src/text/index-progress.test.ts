import { expect, test } from 'vitest';
import { indexProgress } from './index-progress';

function linesOf(shards: readonly { readonly seconds: number; readonly cached: boolean }[]): string[] {
  const lines: string[] = [];
  let time = 0;
  const update = indexProgress(
    (text) => lines.push(text),
    () => 1000 * time,
  );
  shards.forEach(({ seconds, cached }, at) => {
    time += seconds;
    update(at + 1, shards.length, cached);
  });
  return lines;
}

test('nothing is said of what takes a moment', () => {
  expect(linesOf(new Array(10).fill({ seconds: 0.5, cached: false }))).toEqual([]);
});

test('the rate is that of shards that had to be read through, and the time left follows from it', () => {
  const known = new Array(100).fill({ seconds: 0, cached: true });
  const lines = linesOf([...known, ...new Array(100).fill({ seconds: 2, cached: false })]);
  expect(lines[0]).toBe(
    'tar shards: 105/200, 0.5 shards/s, ETA 3m 10s; 5 read through, whose indices are kept: who stops now goes on from there',
  );
  expect(lines).toHaveLength(20);
  expect(lines.at(-1)).toBe('tar shards: 200/200');
});
