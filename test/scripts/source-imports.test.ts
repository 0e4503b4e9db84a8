import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { importsOf } from '../../scripts/checks/source-imports';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(fileURLToPath(new URL('imports-', import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

test('every form of import is found, and told apart by whether it remains at run time', () => {
  writeFileSync(join(folder, 'other.ts'), '');
  const file = join(folder, 'file.ts');
  writeFileSync(
    file,
    [
      `import { value } from './other';`,
      `import type { A } from 'erased-clause';`,
      `import { type B, type C } from 'erased-names';`,
      `import { type D, used } from 'kept';`,
      `import 'side-effect';`,
      `export * from 'reexported';`,
      `export type { E } from 'erased-reexport';`,
      `const late = () => import('late');`,
    ].join('\n'),
  );
  const found = importsOf(relative(root, file)).map(({ specifier, typeOnly }) => [specifier, typeOnly]);
  expect(found).toEqual([
    ['./other', false],
    ['erased-clause', true],
    ['erased-names', true],
    ['kept', false],
    ['side-effect', false],
    ['reexported', false],
    ['erased-reexport', true],
    ['late', false],
  ]);
  expect(importsOf(relative(root, file))[0]?.target).toBe(relative(root, join(folder, 'other.ts')));
});
