/**
 * Everything that is verified apart from the tests: `npm run check`, or `npm run check -- imports unused` for some of it.
 * Ends with `N passed, N failed`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkApp } from './checks/app';
import { checkConventions } from './checks/conventions';
import { checkDocuments } from './checks/documents';
import { checkImports } from './checks/imports';
import { checkManifests } from './checks/manifests';
import { checkReadmes } from './checks/readmes';
import { checkTarballs, packAll, type Tarball } from './checks/tarballs';
import { run, withTemporaryFolder } from './checks/workspace';

/** Each resolves to what is wrong, one line or paragraph a problem. */
const checks: Record<string, () => Promise<string[]>> = {
  lint: () => program('biome', 'check', '.'),
  types: () => program('tsc', '-p', 'tsconfig.json'),
  imports: checkImports,
  conventions: checkConventions,
  unused: () => program('knip'),
  manifests: checkManifests,
  documents: checkDocuments,
  tarballs: () => withTemporaryFolder(async (folder) => checkTarballs(await packAll(folder))),
  readmes: () => withTarballs(checkReadmes),
  app: () => withTarballs(checkApp),
};

/** Hands `use` all tarballs and an empty folder outside the repository. */
const withTarballs = (use: (tarballs: Tarball[], project: string) => Promise<string[]>): Promise<string[]> =>
  withTemporaryFolder(async (folder) => {
    const project = join(folder, 'project');
    mkdirSync(project);
    return use(await packAll(folder), project);
  });

async function program(name: string, ...args: string[]): Promise<string[]> {
  const { ok, output } = await run(name, args);
  return ok ? [] : [output.trim()];
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in checks));
if (unknown.length)
  throw new Error(`no check is named ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`);

let failed = 0;
const selected = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name));
for (const [name, check] of selected) {
  const start = performance.now();
  const problems = await check().catch((error: Error) => [error.stack ?? error.message]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${problems.length ? 'FAIL' : 'ok  '} ${name} (${seconds} s)`);
  for (const problem of problems) console.log(`     ${problem.replaceAll('\n', '\n     ')}`);
  if (problems.length) failed++;
}
console.log(`\n${selected.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
