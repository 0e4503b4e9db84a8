/**
 * Two versions of the engine in one project. npm refuses to install them, since packages ask for the engine as a peer; and where somebody forces
 * it, tensors of one copy that meet the other are an error and never a wrong number.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Published } from '../publish';
import { type Manifest, run } from '../workspace';
import { emptyProject, npmInstall } from './project';

/** A layer of `@franca/nn`, whose copy of the engine is the other one, in a step of the first. */
const PROGRAM = `
  import { linear } from '@franca/nn';
  import { compile, spec } from '@franca/tensor';
  import { openGpu } from '@franca/tensor/node';
  const gpu = await openGpu({ adapter: 'null' });
  try {
    await compile(gpu, (_, { x, weight, bias }) => linear((name) => ({ weight, bias })[name], x),
      { batch: { x: spec([2, 3]), weight: spec([4, 3]), bias: spec([4]) } });
    console.log('no error');
  } catch (error) {
    console.log(error.code, error.message);
  }
  await gpu.dispose();
`;

export async function checkTwoCopies({ tarballs, registry, folder }: Published): Promise<string[]> {
  const tensor = tarballs.find(({ manifest }) => manifest.name === '@franca/tensor');
  if (!tensor) throw new Error('there is no @franca/tensor');
  const { version } = tensor.manifest;
  const next = await nextVersion(tensor.manifest, tensor.path, folder);
  registry.add(next);
  const versions = [`@franca/tensor@${next.manifest.version}`, '@franca/nn'];

  const refused = join(folder, 'two-copies-refused');
  emptyProject(refused, registry.url);
  const { ok, output } = await npmInstall(refused, ...versions);
  const problems =
    ok || !output.includes('ERESOLVE') ? [`npm install ${versions.join(' ')} is not refused: ${output.trim()}`] : [];

  const forced = join(folder, 'two-copies-forced');
  emptyProject(forced, registry.url);
  await npmInstall(forced, '--legacy-peer-deps', ...versions, 'webgpu');
  cpSync(join(folder, 'older/package'), join(forced, 'node_modules/@franca/nn/node_modules/@franca/tensor'), {
    recursive: true,
  });
  writeFileSync(join(forced, 'program.mjs'), PROGRAM);
  const mixed = (await run(process.execPath, ['program.mjs'], { cwd: forced })).output.trim();
  const named = [/nn\/node_modules\/@franca\/tensor/, /forced\/node_modules\/@franca\/tensor/].every((place) =>
    place.test(mixed),
  );
  if (!mixed.startsWith('copies ') || !named)
    problems.push(`${version} and ${next.manifest.version} of the engine mixed: ${mixed}`);
  return problems;
}

/** The same engine under the version that breaks the ranges of what was published with it. */
async function nextVersion(
  manifest: Manifest,
  path: string,
  folder: string,
): Promise<{ manifest: Manifest; path: string }> {
  const [major = 0, minor = 0] = manifest.version.split('.').map(Number);
  const next = { ...manifest, version: major ? `${major + 1}.0.0` : `0.${minor + 1}.0` };
  const tarball = join(folder, 'next-tensor.tgz');
  for (const place of ['older', 'newer']) {
    mkdirSync(join(folder, place));
    await tar('-xzf', path, '-C', join(folder, place));
  }
  writeFileSync(join(folder, 'newer/package/package.json'), JSON.stringify(next));
  await tar('-czf', tarball, '-C', join(folder, 'newer'), 'package');
  return { manifest: next, path: tarball };
}

async function tar(...args: string[]): Promise<void> {
  const { ok, output } = await run('tar', args);
  if (!ok) throw new Error(`tar ${args.join(' ')}: ${output.trim()}`);
}
