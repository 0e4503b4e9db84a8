import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configReference } from './reference';

const readme = new URL('../../README.md', import.meta.url);

test('the README holds the reference as generated (UPDATE_REFERENCE=1 writes it)', () => {
  const text = readFileSync(readme, 'utf8');
  const updated = text.replace(
    /(<!-- reference[^>]*-->)[\s\S]*(<!-- \/reference -->)/,
    (_, open: string, close: string) => `${open}\n\n${configReference()}\n\n${close}`,
  );
  if (process.env.UPDATE_REFERENCE) writeFileSync(readme, updated);
  else expect(text).toBe(updated);
});

test('every setting says what it is', () => {
  const silent = [...configReference().matchAll(/^\| `([\w.<>]+)` \| [^|]+\| {2}\|$/gm)].map(([, key]) => key);
  expect(silent).toEqual([]);
});
