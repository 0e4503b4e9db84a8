import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readmeProblems } from '../../scripts/checks/api-tables';
import { exportsOf } from '../../scripts/checks/declarations';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(fileURLToPath(new URL('exports-', import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

test('exports are found in every form, and told apart by whether they are types', () => {
  writeFileSync(join(folder, 'other.ts'), 'export const star = 1; export type Shape = number[]; const own = 2;');
  writeFileSync(
    join(folder, 'index.ts'),
    [
      `export { value, type A, inner as outer } from './x';`,
      `export type { B } from './x';`,
      `export * from './other';`,
      'export function run() {}',
      'export class Failure {}',
      'export interface C {}',
      'export const third = 3, fourth = 4;',
      'const hidden = 5;',
    ].join('\n'),
  );
  const found = exportsOf(relative(root, join(folder, 'index.ts')));
  const names = (types: boolean) => found.filter(({ isType }) => isType === types).map(({ name }) => name);
  expect(names(false)).toEqual(['value', 'outer', 'star', 'run', 'Failure', 'third', 'fourth']);
  expect(names(true)).toEqual(['A', 'B', 'Shape', 'C']);
});

describe('a README', () => {
  const exported = [
    { name: 'koleo', isType: false },
    { name: 'Loss', isType: true },
  ];
  const table = (head: string, ...rows: string[]) =>
    [`| ${head} | |`, '| --- | --- |', ...rows.map((row) => `| ${row} | text |`)].join('\n');

  test.each([
    ['in a table', table('export', '`koleo(x)`')],
    ['among other names', table('', '`Loss koleo`')],
    ['in prose, as code', 'Take `koleo` of `@franca/losses`.'],
  ])('names a value %s', (_, readme) => {
    expect(readmeProblems(readme, exported)).toEqual([]);
  });

  test.each([
    ['nowhere', 'Nothing.'],
    ['as prose only', 'Take koleo.'],
    ['in an example only', '```ts\nkoleo(x);\n```'],
  ])('that names it %s is incomplete', (_, readme) => {
    expect(readmeProblems(readme, exported)).toEqual(['does not name `koleo`, which is exported']);
  });

  test.each(['export', 'export of `@franca/losses`', 'function', ''])(
    'may not list under "%s" what is gone',
    (head) => {
      const readme = table(head, '`koleo(x)`, `gone(x, y)`', '`Loss`', 'no code');
      expect(readmeProblems(readme, exported)).toEqual(['names `gone` among the exports, which it is not']);
    },
  );

  test('may have tables of other things', () => {
    expect(readmeProblems(`\`koleo\`\n\n${table('recipe', '`paper`')}`, exported)).toEqual([]);
  });
});
