import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { maskStrategies, seededRandom, toAscii } from './index';

test('the strategies in the README are drawn by the code', () => {
  const grid = { height: 10, width: 10 };
  const drawings = Object.entries(maskStrategies).map(([name, strategy]) => [
    name,
    ...toAscii(strategy(grid, 60, seededRandom(3)), grid).split('\n'),
  ]);
  const sideBySide = (group: string[][]) =>
    group[0]!
      .map((_, line) =>
        group
          .map((drawing) => drawing[line]!.padEnd(24))
          .join('')
          .trimEnd(),
      )
      .join('\n');
  const gallery = `${sideBySide(drawings.slice(0, 3))}\n\n${sideBySide(drawings.slice(3))}`;
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme.match(/```text\n([\s\S]*?)\n```/)?.[1]).toBe(gallery);
});
