/** The second archive, to be unpacked over the first: vitest, the sources that tests read, the tests, and the files that they compare with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishedWorkspaces, root, workspaces } from '../checks/workspace';
import { appParts, type Built } from './app';
import { closure, type Part } from './closure';
import { contentsOf, filesBelow } from './contents';
import { addLauncher, RUN_TESTS } from './launchers';
import { addParts, copyFile, notices } from './parts';
import { testsReadme } from './readme';

/** vitest starts the tests, tsx the programs that some of them run. lightningcss, which vite loads for style sheets, is 2.8 MB for nothing. */
const PROGRAMS = ['vitest', 'tsx'];
const LEAVE_OUT = ['lightningcss'];

/** What is not tested where there is only a bundle, and why. */
const NOT_TESTED: readonly (readonly [path: string, why: string])[] = [
  ['test/scripts', 'the scripts of the repository: they need npm, git and the compilers'],
  ['test/support/reporter.test.ts', 'it writes beside itself, and a bundle may be read-only'],
  ['bench', 'the benchmarks: the campaign runs as it was built'],
];

const FILES = ['package.json', 'tsconfig.json', 'tsconfig.base.json', 'vitest.config.ts'];
const isNoSource = (name: string): boolean => ['dist', 'node_modules', '.turbo', 'coverage'].includes(name);

/** Fills `folder`. */
export async function buildTests(folder: string): Promise<Built> {
  mkdirSync(folder, { recursive: true });
  const inApp = new Set(appParts().map((part) => part.folder));
  const parts = closure([...PROGRAMS, ...forTests()], LEAVE_OUT).filter((part) => !inApp.has(part.folder));
  await addParts(folder, parts);
  for (const path of [...FILES, ...sources(), ...below('fixtures')]) copyFile(join(root, path), join(folder, path));
  for (const part of nestedParts())
    for (const path of contentsOf(part))
      copyFile(join(part.folder, path), join(folder, part.folder.slice(root.length), path));
  addLauncher(folder, RUN_TESTS);
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES-tests.md'), notices(parts, []));
  writeFileSync(join(folder, 'TESTS.md'), testsReadme(NOT_TESTED));
  return { notes: NOT_TESTED.map(([what, why]) => `without ${what}: ${why}`), parts };
}

const below = (folder: string): string[] =>
  filesBelow(join(root, folder), isNoSource).map((path) => `${folder}/${path}`);

function sources(): string[] {
  const isLeft = (path: string): boolean => NOT_TESTED.some(([left]) => path === left || path.startsWith(`${left}/`));
  const folders = [...workspaces().map(({ folder }) => folder), 'test'];
  return folders.flatMap(below).filter((path) => !isLeft(path) && !path.endsWith('.tsbuildinfo'));
}

/** What packages of this repository need to be tested, and not to run. */
const forTests = (): string[] =>
  publishedWorkspaces().flatMap(({ manifest: { devDependencies = {} } }) =>
    Object.keys(devDependencies).filter((name) => devDependencies[name] !== '*'),
  );

/** Dependencies that npm installed below a package of this repository: its sources look for them there. */
const nestedParts = (): Part[] =>
  appParts().filter(({ folder }) =>
    workspaces().some((one) => folder.startsWith(join(root, one.folder, 'node_modules'))),
  );
