import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderCircles } from '../../scripts/checks/folder-circles';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(fileURLToPath(new URL('folders-', import.meta.url)));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Circles among files that are given as path -> the paths they import. */
function circles(files: Record<string, string[]>): string[] {
  for (const [file, imports] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    const lines = imports.map((target) => `import type {} from './${relative(dirname(path), join(folder, target))}';`);
    writeFileSync(path, lines.join('\n'));
  }
  return folderCircles(relative(root, folder)).map((line) => line.slice(relative(root, folder).length + 1));
}

test('imports that go one way are fine, also from and to files that lie in no folder', () => {
  expect(
    circles({
      'index.ts': ['plan/a.ts'],
      'plan/a.ts': ['graph/a.ts', 'base.ts'],
      'graph/a.ts': ['base.ts'],
      'base.ts': [],
    }),
  ).toEqual([]);
});

test('a circle over three folders is named at each of its imports', () => {
  expect(circles({ 'a/x.ts': ['b/x.ts'], 'b/x.ts': ['c/x.ts'], 'c/x.ts': ['a/y.ts'], 'a/y.ts': [] })).toEqual([
    'a/x.ts:1: a/ imports b/, from which a way leads back',
    'b/x.ts:1: b/ imports c/, from which a way leads back',
    'c/x.ts:1: c/ imports a/, from which a way leads back',
  ]);
});

test('folders inside a folder are compared with each other, not with the files above them', () => {
  expect(
    circles({
      'ops/matmul/a.ts': ['ops/rows/a.ts', 'ops/reduce.ts'],
      'ops/rows/a.ts': ['ops/matmul/b.ts'],
      'ops/matmul/b.ts': [],
      'ops/reduce.ts': ['ops/matmul/b.ts'],
    }),
  ).toEqual([
    'ops/matmul/a.ts:1: ops/matmul/ imports ops/rows/, from which a way leads back',
    'ops/rows/a.ts:1: ops/rows/ imports ops/matmul/, from which a way leads back',
  ]);
});

test('what only a test imports closes no circle', () => {
  expect(circles({ 'a/x.ts': ['b/x.ts'], 'b/x.ts': [], 'b/x.test.ts': ['a/x.ts'] })).toEqual([]);
});
