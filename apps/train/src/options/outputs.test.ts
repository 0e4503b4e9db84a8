import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkOutputFile, checkOutputFolder } from './outputs';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-outputs-'));
  await writeFile(join(folder, 'weights.safetensors'), 'w');
  await symlink(join(folder, 'weights.safetensors'), join(folder, 'link.safetensors'));
  await mkdir(join(folder, 'there'));
  for (const name of ['teacher.safetensors', 'report.html', 'evals.html'])
    await writeFile(join(folder, 'there', name), 'r');
});
afterAll(() => rm(folder, { recursive: true }));

const at = (...names: string[]) => join(folder, ...names);

test('what can be written is let through: a new file, an old result, a folder yet to be made', async () => {
  await checkOutputFile(at('there', 'out.json'), [at('weights.safetensors'), 'random:x', 'world']);
  await checkOutputFile(at('weights.safetensors'), [at('there')]);
  await checkOutputFile(at('there', 'evals.html'), [at('there')]);
  await checkOutputFolder(at('a', 'b', 'c'));
  await checkOutputFolder(at('there'), { names: ['x'], inputs: [at('weights.safetensors')] });
});

test('what could not be written, or is an input, is refused', async () => {
  const weights = [at('weights.safetensors')];
  await expect(checkOutputFile(at('there'))).rejects.toThrow('is a folder');
  await expect(checkOutputFile(at('none', 'out.json'))).rejects.toThrow('there is no folder');
  await expect(checkOutputFile(at('weights.safetensors', 'out.json'))).rejects.toThrow('there is no folder');
  await expect(checkOutputFile(at('weights.safetensors'), weights)).rejects.toThrow('would replace what is read');
  await expect(checkOutputFile(at('link.safetensors'), weights)).rejects.toThrow('would replace what is read');
  for (const name of ['teacher.safetensors', 'report.html'])
    await expect(checkOutputFile(at('there', name), [at('there')])).rejects.toThrow('would replace what is read from');
  await expect(checkOutputFolder(at('weights.safetensors', 'x'))).rejects.toThrow('weights.safetensors is a file');
  await expect(checkOutputFolder(folder, { names: ['weights.safetensors'], inputs: weights })).rejects.toThrow(
    'would replace',
  );
});
