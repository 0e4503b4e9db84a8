// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the samples are source text.
import { describe, expect, test } from 'vitest';
import { conventionProblems } from '../../scripts/checks/conventions';

const HEADER = '/** What this file is. */\n';
/** The problems of a file with this text below its header, without their places. */
const problems = (text: string, file = 'packages/x/src/file.ts'): string[] =>
  conventionProblems(file, HEADER + text).map((problem) => problem.replace(/^[^ ]*:\d+: /, ''));

test('a problem is reported at its file and line', () => {
  expect(conventionProblems('packages/x/src/file.ts', `${HEADER}\nconst size = 3;\n`)).toEqual([
    'packages/x/src/file.ts:3: the constant size is written in UPPER_CASE',
  ]);
});

describe('the file of errors is named errors.ts', () => {
  test.each(['errors.ts', 'mirrors.ts'])('%s is a good name', (name) => {
    expect(problems('', `packages/x/src/${name}`)).toEqual([]);
  });
  test.each(['error.ts', 'data-error.ts', 'data-errors.ts'])('%s is not', (name) => {
    expect(problems('', `packages/x/src/${name}`)).toEqual(['the file of errors is named errors.ts']);
  });
});

describe('a file opens with a header', () => {
  test.each([
    ['file.ts', '/** What it is. */\nimport "x";'],
    ['cli.ts', '#!/usr/bin/env node\n/** What it is. */\nimport "x";'],
    ['index.ts', 'export { x } from "./x";'],
  ])('%s with %j does', (name, text) => {
    expect(conventionProblems(`packages/x/src/${name}`, text)).toEqual([]);
  });
  test.each(['import "x";\n/** What it is. */', '// What it is.\nimport "x";', ''])('%j does not', (text) => {
    expect(conventionProblems('packages/x/src/file.ts', text)).toEqual([
      'packages/x/src/file.ts:1: the file does not open with a header that says what it is',
    ]);
  });
});

describe('constants are UPPER_CASE', () => {
  test.each([
    'const MAX_ROWS = 2 ** 10;',
    'export const NAMES: readonly string[] = ["a", "b"];',
    'const SEEN = new Set(["a"]);',
    'const waiting = new Map<string, number>();',
    'const DEFAULTS: Options = { rows: 3, scale: [1, 2] };',
    'const task: Task = { name: "knn", run: (rows: number) => 2 * rows };',
    'const root = fileURLToPath(url);',
    'const double = (x: number) => 2 * x;',
    'function f() { const rows = 3; return rows; }',
    'let count = 0;',
  ])('%s', (text) => {
    expect(problems(text)).toEqual([]);
  });
  test.each([
    'const maxRows = 3;',
    'const defaults = { rows: 3 };',
    'const names = ["a"] as const;',
    'const seen = new Set(["a"]);',
    'const at = /x/;',
  ])('not as in %s', (text) => {
    expect(problems(text)).toEqual([expect.stringMatching(/^the constant \w+ is written in UPPER_CASE$/)]);
  });
  test('and functions are not', () => {
    expect(problems('const DOUBLE = (x: number) => 2 * x;')).toEqual(['DOUBLE is a function, not a constant']);
  });
});

describe('error codes are kebab-case', () => {
  test('shape is', () => {
    expect(problems(`export type XErrorCode = 'shape' | 'shape';`)).toEqual([]);
  });
  test.each(['BAD_SHAPE', 'badShape'])('%s is not', (code) => {
    expect(problems(`export type XErrorCode = 'shape' | '${code}';`)).toEqual([
      `the error code '${code}' is written in kebab-case`,
    ]);
  });
});

describe('error classes are declared in errors.ts', () => {
  const text = 'export class XError extends Error {}';
  test('there', () => {
    expect(problems(text, 'packages/x/src/errors.ts')).toEqual([]);
  });
  test('and nowhere else', () => {
    expect(problems(text)).toEqual(['XError is declared in errors.ts']);
  });
});

describe('error messages', () => {
  test.each([
    "throw new XError('shape', 'rows are empty; give at least one');",
    'throw new XError(`shape`, `${rows} rows are too many`);',
    "throw new Error('Matryoshka levels must ascend');",
    "throw new XError('shape', 'RGB is expected, e.g. ImageNet, and so on ...', { cause });",
    "opError('shape', 'matmul', `${a} and ${b} do not agree`);",
    'throw new XError(code, message);',
    "console.log('Done. Everything is written.');",
  ])('%s', (text) => {
    expect(problems(text)).toEqual([]);
  });
  test.each([
    ["throw new XError('shape', 'Rows are empty');", 'begins in lower case'],
    ["throw new XError('shape', `Rows ${a} ` + 'and columns');", 'begins in lower case'],
    ["throw new Error('rows are empty.');", 'ends without a full stop'],
    ["opError('shape', 'matmul', `a and ${b}.`);", 'ends without a full stop'],
    ["throw new XError('shape', 'rows are empty. Give at least one');", 'joins its clauses by a semicolon'],
    ['throw new XError("shape", `${rows} are empty. ${hint}`);', 'joins its clauses by a semicolon'],
  ])('not as in %s', (text, rule) => {
    expect(problems(text)).toEqual([expect.stringContaining(`an error message ${rule}`)]);
  });
});

describe('exported names are spelt in British English', () => {
  test.each([
    'export function normalise() {}',
    'export const resize = make();',
    'export interface Colour {}',
    'export function colorJitter() {}',
    'export const COLORMAPS: string[] = make();',
    'function normalize() {}',
  ])('%s', (text) => {
    expect(problems(text)).toEqual([]);
  });
  test.each([
    'export function normalizeRows() {}',
    'export const colorOf = make();',
    'export type GrayImage = string;',
    'export class NeighborTable {}',
  ])('not as in %s', (text) => {
    expect(problems(text)).toEqual([expect.stringContaining('names are spelt in British English unless official')]);
  });
});
