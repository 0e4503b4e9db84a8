/**
 * The offline bundle as somebody gets it: both archives are made, quickly packed and unpacked into a folder with a space in its name, and run
 * from there without an environment; where it can be, on a machine that has nothing (bare-root.ts): no network, no home, nothing to write to.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tinyOverrides } from '../../apps/train/test/tiny-run';
import { buildApp } from '../bundle/app';
import { FASTEST, pack } from '../bundle/archive';
import { filesBelow } from '../bundle/contents';
import { buildTests } from '../bundle/tests';
import { inBareRoot, makeBareRoot, WRITABLE, whyNoBareRoot } from './bare-root';
import type { Published } from './publish';
import { type Outcome, readManifest, root, run } from './workspace';

/** Bytes that the archives may have as they are packed here; those of `npm run bundle` are a fifth smaller, and have their own limits. */
const MOST_BYTES = { app: 48e6, tests: 34e6 } as const;
const NEEDED = [
  ...[
    'franca-train',
    'run-tests',
    'README.md',
    'TESTS.md',
    'LICENSE',
    'THIRD-PARTY-NOTICES.md',
    'bin/node',
    'bin/LICENSE',
  ],
  ...['node_modules/franca-train/presets/cpu-tiny.yaml', 'node_modules/@franca/data/generated-world.webp'],
];
/** For other systems, or for those who build; sources come with the tests. */
const STRAY = /\/[^/]*(musl|darwin|win32|arm64)[^/]*\/|^node_modules\/.*\.(map|d\.[cm]?ts)$/;

export async function checkBundle({ folder }: Published): Promise<string[]> {
  const work = join(folder, 'bundle');
  const name = `franca-train-${readManifest('apps/train').version}`;
  const made = { app: join(work, 'app', name), tests: join(work, 'tests', name) };
  await buildApp(made.app, { vulkan: 'try', scratch: join(work, 'downloads') });
  await buildTests(made.tests);
  const place = join(work, 'root/opt/a folder');
  mkdirSync(place, { recursive: true });
  const sizes: string[] = [];
  for (const part of ['app', 'tests'] as const) {
    const archive = join(work, `${part}.tar.xz`);
    const bytes = await pack(made[part], archive, MOST_BYTES[part], FASTEST);
    sizes.push(`${part}: ${(bytes / 1e6).toFixed(1)} MB as packed here`);
    const { ok, output } = await run('tar', ['xJf', archive, '-C', place]);
    if (!ok) return [`tar xJf ${archive}: ${output.trim()}`];
  }
  const whyNot = await whyNoBareRoot();
  console.log(
    [...sizes, ...(whyNot ? [`not run on a bare machine: ${whyNot}`] : [])].map((line) => `     ${line}`).join('\n'),
  );
  const unpacked = join(place, name);
  const problems = [...contentProblems(unpacked), ...(await runProblems(unpacked))];
  return whyNot ? problems : [...problems, ...(await bareProblems(join(work, 'root'), `/opt/a folder/${name}`))];
}

function contentProblems(folder: string): string[] {
  const files = filesBelow(folder);
  const own = Buffer.from(root.replace(/\/$/, ''));
  return [
    ...NEEDED.filter((path) => !existsSync(join(folder, path))).map((path) => `${path} is not in the bundle`),
    ...files.filter((path) => STRAY.test(path)).map((path) => `${path} does not belong into the bundle`),
    ...files
      .filter((path) => readFileSync(join(folder, path)).includes(own))
      .map((path) => `${path} names ${own}, which is nothing elsewhere`),
  ];
}

/** A use of the program, and what it must print. */
type Use = readonly [program: string, args: readonly string[], expected: RegExp];

const VERSION: Use = ['franca-train', ['--version'], new RegExp(`^${readManifest('apps/train').version}$`, 'm')];
const DOCTOR: Use = ['franca-train', ['doctor'], /^start with +\S+/m];
const TESTS: Use = ['run-tests', ['packages/tensor/src/ops/one-hot.test.ts'], /^[1-9]\d* passed, 0 failed$/m];

/** Without an environment, but for the driver that the set-up of this machine chose. */
async function runProblems(folder: string): Promise<string[]> {
  const driver = Object.entries(process.env).filter(([name]) => /^VK_/.test(name));
  const bare = ['-i', ...driver.map(([name, value]) => `${name}=${value}`)];
  return problemsOf([VERSION, DOCTOR, TESTS], (program, args) => run('env', [...bare, join(folder, program), ...args]));
}

async function bareProblems(rootFolder: string, folder: string): Promise<string[]> {
  await makeBareRoot(rootFolder);
  const training: Use = [
    'franca-train',
    ['pretrain', '-c', 'cpu-tiny', '--out', join(WRITABLE, 'run'), '--stop-after', '2', ...tinyOverrides(4)],
    /^stopped after step 2 of 4.*\/franca-train' pretrain --resume/m,
  ];
  const problems = await problemsOf([DOCTOR, training, TESTS], (program, args) =>
    inBareRoot(rootFolder, [`${folder}/${program}`, ...args]),
  );
  return problems.map((problem) => `on a bare machine: ${problem}`);
}

async function problemsOf(
  uses: readonly Use[],
  start: (program: string, args: readonly string[]) => Promise<Outcome>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [program, args, expected] of uses) {
    const { ok, output } = await start(program, args);
    if (!ok || !expected.test(output)) problems.push(`${program} ${args.join(' ')}: ${output.trim()}`);
  }
  return problems;
}
