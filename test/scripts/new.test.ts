import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, run, workspaces } from '../../scripts/checks/workspace';
import { filesAfter } from '../../scripts/new/edits';
import { nameOf } from '../../scripts/new/name';
import { newFiles } from '../../scripts/new/templates';

describe('a name', () => {
  test('is spelt as files, functions, classes and prose spell it', () => {
    expect(nameOf('row-l2-norm')).toEqual({
      kebab: 'row-l2-norm',
      camel: 'rowL2Norm',
      pascal: 'RowL2Norm',
      words: 'row l2 norm',
    });
  });
  test.each(['RowSquares', 'row_squares', 'row--squares', '-row', '2-rows', '../row', ''])('%j is none', (text) => {
    expect(() => nameOf(text)).toThrow(/kebab-case/);
  });
  test.each(['switch', 'yield', 'await', 'eval', 'index'])('%j is reserved', (text) => {
    expect(() => nameOf(text)).toThrow(/reserved/);
  });
});

describe('edits are refused', () => {
  const read = (path: string): string | undefined => ({ 'a.md': 'one\ntwo\ntwo\n' })[path];
  test('where a file exists', () => {
    expect(() => filesAfter([{ path: 'a.md', text: '' }], read)).toThrow('a.md exists already');
  });
  test.each(['two', 'three'])('where there is not one place that reads %j', (before) => {
    expect(() => filesAfter([{ path: 'a.md', before, text: '' }], read)).toThrow(/a\.md has . places/);
  });
  test('where a text breaks the conventions', () => {
    const text = '/** Rows. */\nexport function normalizeRows() {}\n';
    expect(() => filesAfter([{ path: 'a.ts', text }], read)).toThrow(/British English/);
  });
  test('but several may be made of one file', () => {
    const edits = ['zero', 'half'].map((text) => ({ path: 'a.md', before: 'one', text: `${text}\n` }));
    expect(filesAfter(edits, read).get('a.md')).toBe('zero\nhalf\none\ntwo\ntwo\n');
  });
});

describe('what is there already is not made again', () => {
  test.each([
    ['loss dino', /dinoLoss is taken/],
    ['op gather-rows', /gatherRows is taken/],
    ['source tar', /tar is taken/],
    ['eval knn', /knn\.ts exists already/],
    ['eval all', /all is taken/],
    ['package nn', /exists already/],
  ])('%s', (line, reason) => {
    expect(() => newFiles(line.split(' '), readIn(root))).toThrow(reason);
  });
});

/** One of every kind. The last one is made as a user makes it. */
const MADE = [
  'op row-squares',
  'op soft-sign --elementwise',
  'loss plain-distance',
  'eval long-tokens',
  'source raw-records',
  'package plain-mean',
].map((line) => line.split(' '));

/** Checks that what is new may fail only together with what was there. */
const OF_ALL_FILES = ['unused', 'imports', 'conventions', 'manifests', 'documents'];

describe('npm run new, in a copy of the repository', () => {
  let copy: string;
  beforeAll(() => {
    copy = copyRepository();
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));
  const inCopy = (...command: [string, ...string[]]) => run(command[0], command.slice(1), { cwd: copy });

  test('writes nothing where it refuses, and says why in a line', async () => {
    const before = filesOf(copy);
    const { ok, output } = await inCopy('npm', 'run', '--silent', 'new', '--', 'loss', 'dino');
    expect([ok, output]).toEqual([false, 'dinoLoss is taken: packages/losses/src/index.ts exports it\n']);
    expect(filesOf(copy)).toEqual(before);
  });

  test('makes one of every kind, which pass the checks and their own tests as they are', async () => {
    const written = MADE.slice(0, -1).flatMap((args) => write(copy, newFiles(args, readIn(copy))));
    await inCopy('npx', 'biome', 'check', '--write', ...written.filter((path) => path.endsWith('.ts')));
    const { output } = await inCopy('npm', 'run', '--silent', 'new', '--', ...MADE.at(-1)!);
    expect(output).toMatch(/^new +packages\/plain-mean\/LICENSE$[\s\S]*^changed README.md$[\s\S]*npm install/m);

    // the rest of the repository is checked elsewhere
    const sources = [...written, ...filesOf(copy).filter((path) => path.startsWith('packages/plain-mean/'))];
    const code = sources.filter((path) => /\/src\/.*\.ts$/.test(path));
    const project = { extends: './tsconfig.json', include: [], files: code };
    writeFileSync(join(copy, 'tsconfig.new.json'), JSON.stringify(project));
    const typed = await inCopy('npx', 'tsc', '-p', 'tsconfig.new.json');
    rmSync(join(copy, 'tsconfig.new.json'));
    expect(typed.ok, typed.output).toBe(true);
    const linted = await inCopy('npx', 'biome', 'check', ...code);
    expect(linted.ok, linted.output).toBe(true);
    const checked = await inCopy('npx', 'tsx', 'scripts/check.ts', ...OF_ALL_FILES);
    expect(checked.output).toMatch(/ 0 failed/);
    const tests = written.filter((path) => path.endsWith('.test.ts'));
    const around = ['packages/plain-mean', 'apps/train/src/eval/find-tasks.test.ts'];
    const tested = await inCopy('npx', 'vitest', 'run', ...new Set([...tests, ...around]));
    expect(tested.ok, tested.output).toBe(true);
    const elementwise = ['packages/tensor/src/ops/elementwise.test.ts', '-t', 'every elementwise op|softSign'];
    expect((await inCopy('npx', 'vitest', 'run', ...elementwise)).output).toMatch(/Tests .*[35] passed/);
  });
});

const readIn =
  (folder: string) =>
  (path: string): string | undefined =>
    existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined;

function write(folder: string, files: ReadonlyMap<string, string>): string[] {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return [...files.keys()];
}

/** Sources as they are now; what is large or installed is linked. */
function copyRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'franca-new-'));
  const files = filesOf(root).filter((path) => !path.startsWith('fixtures/'));
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  const own = workspaces().map(({ folder }) => `${folder}/node_modules`);
  // not the caches: they are the repository's own
  const shared = readdirSync(join(root, 'node_modules')).filter((name) => name === '.bin' || !name.startsWith('.'));
  mkdirSync(join(copy, 'node_modules'));
  for (const path of ['fixtures', ...own, ...shared.map((name) => `node_modules/${name}`)])
    if (existsSync(join(root, path))) symlinkSync(join(root, path), join(copy, path));
  execFileSync('git', ['init', '--quiet'], { cwd: copy });
  return copy;
}

/** Every file that git would keep, as it is on disk. */
function filesOf(folder: string): string[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: folder });
  return list
    .toString()
    .trim()
    .split('\n')
    .filter((path) => existsSync(join(folder, path)));
}
