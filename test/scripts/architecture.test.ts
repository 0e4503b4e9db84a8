import { expect, test } from 'vitest';
import { signOf } from '../../scripts/map/architecture';

test.each([
  ['/** One sentence. And another. */', 'One sentence'],
  ['#!/usr/bin/env node\n/** A program. */', 'A program'],
  ['/**\n * Two lines of\n * one sentence.\n */', 'Two lines of one sentence'],
  ['/**\n * A formula follows:\n *\n *   y = x. More.\n */', 'A formula follows'],
  ['/** Layers (Hinton et al. 2015, e.g. linear ones). Then more. */', 'Layers (Hinton et al. 2015, e.g. linear ones)'],
  ['/** Coverage (paper Fig. 4): how often. More. */', 'Coverage (paper Fig. 4): how often'],
  ['/** Version 1.5 of `a.b`. */', 'Version 1.5 of `a.b`'],
])('the sign of %j is its first sentence', (text, sign) => {
  expect(signOf(text)).toBe(sign);
});

test('a long sentence ends at the last clause that fits, outside of brackets', () => {
  const start = 'The product of two matrices, batched';
  expect(
    signOf(`/** ${start}: A is given as [.., M, K], and then much more follows ${'on and '.repeat(10)}on. */`),
  ).toBe(`${start}: A is given as [.., M, K]`);
  expect(signOf(`/** ${start}: [M, K, ${'and, '.repeat(30)}] are its sizes. */`)).toBe(start);
  expect(signOf(`/** ${'word '.repeat(40)}end. */`)).toMatch(/^(word )+\.\.\.$/);
});

test('a file without a header has none', () => {
  expect(signOf('import "x";\n/** Not at the top. */')).toBeUndefined();
});
