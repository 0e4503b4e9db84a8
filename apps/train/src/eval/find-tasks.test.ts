import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findTasks } from './find-tasks';

test('every file of tasks is an evaluation, named after the file', async () => {
  const files = readdirSync(new URL('./tasks/', import.meta.url)).filter((name) => !name.includes('.test.'));
  const names = (await findTasks()).map(({ name }) => `${name}.ts`);
  expect(names.toSorted()).toEqual(files.sort());
});

test('those with a place stand in its order, each place once, and the others behind them', async () => {
  const places = (await findTasks()).map(({ order = Number.MAX_VALUE }) => order);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  const taken = places.filter((place) => place < Number.MAX_VALUE);
  expect(new Set(taken).size).toBe(taken.length);
});
