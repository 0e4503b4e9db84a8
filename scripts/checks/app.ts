/**
 * `franca-train` as somebody gets it who has never seen the repository: the tarballs are installed into an empty folder
 * outside of it, and the program has to find there whatever it needs (presets, pictures, the native modules), and to train.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tinyOverrides } from '../../apps/train/test/tiny-run';
import { AS_ROOT } from '../../test/support/as-root';
import { MPIS } from '../../test/support/mpirun';
import type { Published } from './publish';
import { root, run } from './workspace';

export async function checkApp({ project }: Published): Promise<string[]> {
  fillFolder(join(project, 'photos'));
  const training = ['pretrain', '--out', 'run'];
  const uses: readonly (readonly [args: string[], expected: RegExp])[] = [
    [['--help'], /pretrain .*train a model/],
    [['config', '--list'], /^official-in21k-vitb14 /m],
    [['config', '-c', 'official-in21k-vitb14', '--explain'], /dino\.head_n_prototypes .*131072/],
    [['plan', '-c', 'cpu-tiny'], /^kernels +\d+/m],
    [['doctor'], /^start with +\S+/m],
    [
      [...training, '-c', 'cpu-tiny', '--data', 'photos', '--stop-after', '3', ...tinyOverrides(4)],
      /^stopped after step 3 of 4/m,
    ],
    [
      [...training, '--resume'],
      /^resuming run after step 3[\s\S]*^ {2}trained network .* step 4 of 4\n[\s\S]*^ {2}npx franca-train eval all -w run$/m,
    ],
  ];
  const problems = await rankProblems(project);
  for (const [args, expected] of uses) {
    const { ok, output } = await run('npx', ['--no-install', 'franca-train', ...args], { cwd: project });
    if (!ok || !expected.test(output)) problems.push(`npx franca-train ${args.join(' ')}: ${output.trim()}`);
  }
  const left = ['config.yaml', 'report.html', 'teacher.safetensors'].filter(
    (name) => !existsSync(join(project, 'run', name)),
  );
  return [...problems, ...left.map((name) => `the run left no ${name}`)];
}

/** Two ranks of it, as the page on many machines has them started. */
async function rankProblems(project: string): Promise<string[]> {
  const [mpi] = MPIS;
  if (!mpi) return [];
  const program = 'node_modules/.bin/franca-train';
  const training = ['pretrain', '--out', 'ranks', '-c', 'cpu-tiny', '--data', 'photos', '--stop-after', '2'];
  const words = [...mpi.launcher, '-n', '2', program, ...training, ...tinyOverrides(4)];
  const { ok, output } = await run('env', [...Object.entries(AS_ROOT).map((pair) => pair.join('=')), ...words], {
    cwd: project,
  });
  const advice = `-n 2 ${program} pretrain --resume --out ranks`;
  const isAsItShouldBe = ok && /^stopped after step 2 of 4/m.test(output) && output.includes(advice);
  return isAsItShouldBe ? [] : [`${words.join(' ')}: ${output.trim()}`];
}

/** Two classes of one and the same picture: what is learned from them does not matter here. */
function fillFolder(folder: string): void {
  for (const name of ['one', 'other']) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let at = 0; at < 12; at++)
      copyFileSync(join(root, 'packages/data/generated-world.webp'), join(folder, name, `${at}.webp`));
  }
}
