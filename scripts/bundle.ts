/** `npm run bundle -- <folder>`: franca-train for a machine without a network, as one archive that brings all it needs, and its tests as a second. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type AppOptions, buildApp } from './bundle/app';
import { checksums, megabytes, pack, SMALLEST } from './bundle/archive';
import { BundleError } from './bundle/errors';
import { refuseOtherPlatforms } from './bundle/node-program';
import { buildTests } from './bundle/tests';
import { readManifest, run } from './checks/workspace';

const HELP = `npm run bundle -- <folder> [options]

Writes franca-train as archives for a machine without a network (x86-64 Linux with glibc, a Vulkan driver):

  franca-train-<version>-linux-x64.tar.xz   Node, the program, all that it needs, the campaign for GPUs (at most 40 MB)
  franca-train-<version>-tests.tar.xz       vitest, the sources and their tests, to unpack over the first (at most 25 MB)
  SHA256SUMS

  <folder>            where to write them; it is made, or it is empty
  --with-vulkan       fail where apt-get cannot download the Vulkan loader; by default it is left out then, and that is said
  --without-vulkan    leave the Vulkan loader out: the machine has libvulkan.so.1
  --without-tests     the first archive alone
  --help

It takes about three minutes, and 500 MB in <folder> while it works. Programs that it runs: tar, xz; strip, apt-get and dpkg-deb where there are.`;

/** Bytes that the archives may have: together with the sources they fit through what takes 64 MB at a time. */
export const MOST_BYTES = { app: 40e6, tests: 25e6 } as const;
/** What is unpacked and packed meanwhile. */
const WORKING_BYTES = 500e6;

interface Options {
  readonly folder: string;
  readonly vulkan: AppOptions['vulkan'];
  readonly tests: boolean;
}

/** Undefined where help is asked for. */
function readOptions(args: readonly string[]): Options | undefined {
  const flag = { type: 'boolean' } as const;
  const options = { 'with-vulkan': flag, 'without-vulkan': flag, 'without-tests': flag, help: flag };
  const { values, positionals } = parse(() => parseArgs({ args: [...args], options, allowPositionals: true }));
  if (values.help) return undefined;
  const [folder] = positionals;
  if (!folder || positionals.length > 1)
    throw new BundleError(
      `one folder is needed, and ${positionals.length} are given; npm run bundle -- --help says more`,
    );
  if (values['with-vulkan'] && values['without-vulkan'])
    throw new BundleError('--with-vulkan and --without-vulkan are both given; give one');
  const vulkan = values['with-vulkan'] ? 'yes' : values['without-vulkan'] ? 'no' : 'try';
  // npm runs scripts in the root of the repository, wherever it was called
  return { folder: resolve(process.env.INIT_CWD ?? '.', folder), vulkan, tests: !values['without-tests'] };
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new BundleError(`${(error as Error).message}; npm run bundle -- --help says more`);
  }
}

/** Makes the folder; what would stop the work after minutes is refused here. */
function prepare(folder: string): void {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new BundleError(`${folder} is a file; name a folder`);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new BundleError(`${folder} is not empty; name another folder, or empty it`);
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < WORKING_BYTES)
    throw new BundleError(
      `${folder} has room for ${megabytes(bavail * bsize)} and ${megabytes(WORKING_BYTES)} are needed meanwhile; name a folder with more`,
    );
}

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
  refuseOtherPlatforms();
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
