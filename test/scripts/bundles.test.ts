/** The check of bundles, on packages made for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryProblems } from '../../scripts/checks/bundles';
import { withTemporaryFolder } from '../../scripts/checks/workspace';

/** What the check says of a package of one file. */
const problemsOf = (code: string): Promise<string[]> =>
  withTemporaryFolder(async (folder) => {
    const place = join(folder, 'node_modules/@franca/made');
    mkdirSync(place, { recursive: true });
    const manifest = { name: '@franca/made', type: 'module', sideEffects: false, exports: './index.js' };
    writeFileSync(join(place, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(place, 'index.js'), code);
    return entryProblems(folder, '@franca/made');
  });

const TABLE = JSON.stringify(Array.from({ length: 500 }, (_, i) => i));

test('a table that is made at load must be marked', async () => {
  expect(await problemsOf(`export const table = ${TABLE}.map(String);`)).toEqual([
    expect.stringMatching(/^@franca\/made: \d+ bytes stay in a bundle that uses nothing of it; mark what is called/),
  ]);
  expect(await problemsOf(`export const table = /* @__PURE__ */ ${TABLE}.map(String);`)).toEqual([]);
});

test('a function that makes tables can be marked once', async () => {
  const maker = 'function made(values) { return values.map(String); }';
  expect(await problemsOf(`${maker}\nexport const table = made(${TABLE});`)).toHaveLength(1);
  expect(await problemsOf(`// @__NO_SIDE_EFFECTS__\n${maker}\nexport const table = made(${TABLE});`)).toEqual([]);
});

test('what needs Node is no entry for browsers', async () => {
  expect(await problemsOf("export { readFile } from 'node:fs/promises';")).toEqual([
    expect.stringMatching(/^@franca\/made: .*Could not resolve "node:fs\/promises"/s),
  ]);
});
