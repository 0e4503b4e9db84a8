/** `npm run bundle -- <folder>`: franca-train for a machine without a network, as one archive that brings all it needs, and its tests as a second. */
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildApp } from './bundle/app';
import { checksums, megabytes, pack, SMALLEST } from './bundle/archive';
import { BundleError } from './bundle/errors';
import { refuseOtherPlatforms } from './bundle/node-program';
import { HELP, type Options, prepare, readOptions } from './bundle/options';
import { buildTests } from './bundle/tests';
import { readManifest, run } from './checks/workspace';

/** Bytes that the archives may have: each of them, together with the sources, fits through what takes 64 MiB at a time. */
const MOST_BYTES = { app: 40e6, tests: 30e6 } as const;

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  console.log(`${what} ...`);
  const result = await work();
  console.log(`${what}: done in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return result;
}

async function build(): Promise<void> {
  const { ok, output } = await run('turbo', ['run', 'build', '--output-logs=errors-only']);
  if (!ok) throw new BundleError(`the build failed: ${output.trim()}`);
}

/** Makes all in `scratch`, below the folder of the archives, which come there once all of them are whole. */
async function bundle({ folder, vulkan, tests }: Options, scratch: string): Promise<string[]> {
  const name = `franca-train-${readManifest('apps/train').version}`;
  await step('build', build);
  const app = join(scratch, 'app', name);
  const built = await step('collecting the program', () =>
    buildApp(app, { vulkan, scratch: join(scratch, 'downloads') }),
  );
  for (const note of built.notes) console.log(`  ${note}`);
  const archives = [join(scratch, `${name}-linux-x64.tar.xz`)];
  await step('packing it', () => pack(app, archives[0]!, MOST_BYTES.app, SMALLEST));
  if (tests) {
    const sources = join(scratch, 'tests', name);
    const { notes } = await step('collecting the tests', () => buildTests(sources));
    for (const note of notes) console.log(`  ${note}`);
    archives.push(join(scratch, `${name}-tests.tar.xz`));
    await step('packing them', () => pack(sources, archives[1]!, MOST_BYTES.tests, SMALLEST));
  }
  writeFileSync(join(scratch, 'SHA256SUMS'), checksums(archives));
  const files = [...archives, join(scratch, 'SHA256SUMS')].map((path) => join(folder, basename(path)));
  for (const path of files) renameSync(join(scratch, basename(path)), path);
  return files;
}

function tell(files: readonly string[]): void {
  console.log('');
  for (const path of files) console.log(`${megabytes(statSync(path).size).padStart(8)}  ${path}`);
  const [app, tests] = files.filter((path) => path.endsWith('.xz')).map((path) => basename(path));
  const folder = app!.replace('-linux-x64.tar.xz', '');
  console.log(
    `\non the machine without a network, which needs tar and xz to unpack:\n  tar xJf ${app} && ${folder}/franca-train doctor`,
  );
  if (tests) console.log(`  tar xJf ${tests} && ${folder}/run-tests packages/tensor`);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(HELP);
  await refuseOtherPlatforms();
  prepare(options.folder);
  const scratch = join(options.folder, '.bundle.tmp');
  const clean = (): void => rmSync(scratch, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      clean();
      process.exit(130);
    });
  try {
    mkdirSync(scratch);
    tell(await bundle(options, scratch));
  } finally {
    clean();
  }
}

try {
  await main();
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof BundleError) && !code) throw error;
  console.error(`bundle: ${message}`);
  process.exitCode = 1;
}
