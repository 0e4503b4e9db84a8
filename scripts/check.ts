/**
 * Everything that is verified apart from the tests: `npm run check`, or some of it: `npm run check -- quick`, `npm run check -- types app`.
 * Checks run side by side, one a core; each prints its line when it is done, and `N passed, N failed` ends the list.
 */
import { availableParallelism } from 'node:os';
import { checkApp } from './checks/app';
import { checkBrowser } from './checks/browser';
import { checkBundle } from './checks/bundle';
import { checkCampaign } from './checks/campaign';
import { checkCommonJs } from './checks/consumer/commonjs';
import { checkReadmes } from './checks/consumer/readmes';
import { checkTwoCopies } from './checks/consumer/two-copies';
import { checkConventions } from './checks/conventions';
import { checkDocuments } from './checks/documents';
import { checkImports } from './checks/imports';
import { checkManifests } from './checks/manifests';
import { checkMatrices } from './checks/matrices';
import { type Published, publish } from './checks/publish';
import { checkTarballs } from './checks/tarballs';
import { run, withTemporaryFolder } from './checks/workspace';

/** Resolves to what is wrong, one line or paragraph a problem, or to why it cannot be made here. */
type Check = () => Promise<string[] | { skipped: string }>;

/** What needs nothing but the sources: `quick`. */
const quick: Record<string, Check> = {
  types: () => program('tsc', '-p', 'tsconfig.json'),
  lint: () => program('biome', 'check', '--reporter=concise', '--max-diagnostics=none', '.'),
  unused: () => program('knip'),
  imports: checkImports,
  conventions: checkConventions,
  manifests: checkManifests,
  documents: checkDocuments,
};

/** What needs the sources alone too, and longer. */
const slow: Record<string, Check> = {
  reference: () => program('tsx', 'scripts/docs.ts'),
  campaign: checkCampaign,
  matrices: checkMatrices,
};

/** What looks at the packages as their users get them: they are built, packed and installed once for all of these. */
function packed(folder: string): Record<string, Check> {
  let made: Promise<Published> | undefined;
  const published = (): Promise<Published> => {
    made ??= publish(folder);
    return made;
  };
  return {
    build: async () => {
      await published();
      return [];
    },
    tarballs: async () => checkTarballs(await published()),
    readmes: async () => checkReadmes(await published()),
    commonjs: async () => checkCommonJs(await published()),
    copies: async () => checkTwoCopies(await published()),
    app: async () => checkApp(await published()),
    browser: async () => checkBrowser(await published()),
    bundle: async () => checkBundle(await published()),
  };
}

async function program(name: string, ...args: string[]): Promise<string[]> {
  const { ok, output } = await run(name, args);
  return ok ? [] : [output.trim()];
}

function select(checks: Record<string, Check>, wanted: readonly string[]): [name: string, check: Check][] {
  const names = wanted.flatMap((name) => (name === 'quick' ? Object.keys(quick) : [name]));
  const unknown = names.filter((name) => !(name in checks));
  if (unknown.length)
    throw new Error(`no check is named ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}, and quick`);
  return Object.entries(checks).filter(([name]) => names.length === 0 || names.includes(name));
}

const told = new Set<unknown>();

/** What an error says, once: a failed build is the same error for every check that needs it. */
function explain(error: Error): string {
  if (told.has(error)) return 'see above';
  told.add(error);
  return error.stack ?? error.message;
}

type Outcome = 'passed' | 'failed' | 'skipped';

/** Runs a check and prints how it went. */
async function report(name: string, check: Check): Promise<Outcome> {
  const start = performance.now();
  const problems = await check().catch((error: Error) => [explain(error)]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if ('skipped' in problems) {
    console.log(`skip ${name} (${seconds} s)\n     ${problems.skipped}`);
    return 'skipped';
  }
  const lines = problems.map((problem) => `     ${problem.replaceAll('\n', '\n     ')}`);
  console.log([`${problems.length ? 'FAIL' : 'ok  '} ${name} (${seconds} s)`, ...lines].join('\n'));
  return problems.length ? 'failed' : 'passed';
}

await withTemporaryFolder(async (folder) => {
  const selected = select({ ...quick, ...slow, ...packed(folder) }, process.argv.slice(2));
  const waiting = selected.values();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const worker = async () => {
    for (const [name, check] of waiting) counts[await report(name, check)]++;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const { passed, failed, skipped } = counts;
  console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed ? 1 : 0;
});
