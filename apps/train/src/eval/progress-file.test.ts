import { copyFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import { progressFile } from './progress-file';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const progress = {
  state: { epoch: 3, name: 'a', list: [1, null] },
  arrays: {
    f: Float32Array.of(1, Number.NaN),
    d: Float64Array.of(1 / 3, -0),
    i: Int32Array.of(-1),
    u: Uint32Array.of(2 ** 32 - 1),
  },
};

test('progress comes back to the bit, said in one line; other computations have other files; at the end it goes', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const file = progressFile(folder, { task: 'a' });
  expect(await file.load()).toBeUndefined();
  await file.save(progress);
  expect(said).not.toHaveBeenCalled();
  expect(await progressFile(folder, { task: 'a' }).load()).toEqual(progress);
  expect(said.mock.calls).toEqual([[`goes on from where it was interrupted: ${file.path}`]]);
  expect(await progressFile(folder, { task: 'b' }).load()).toBeUndefined();
  await file.done();
  expect(await readdir(folder)).toEqual([]);
  await file.done();
  said.mockRestore();
});

test('what is damaged or not its own counts as absent', async () => {
  const [file, other] = [progressFile(folder, 'own'), progressFile(folder, 'other')];
  await other.save(progress);
  const cases: (() => Promise<unknown>)[] = [
    () => writeFile(file.path, 'nothing of the kind'),
    () => writeFile(file.path, ''),
    async () => {
      await file.save(progress);
      await truncate(file.path, 300);
    },
    // the file of another computation under this name
    () => copyFile(other.path, file.path),
  ];
  for (const damage of cases) {
    await damage();
    expect(await file.load()).toBeUndefined();
  }
  await expect(file.save({ state: { loss: Number.NaN }, arrays: {} })).rejects.toThrow(/loss is NaN/);
});

test('it is due after a minute, or twenty times what the last save took', async () => {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const file = progressFile(folder, 'timed');
  now = 59_999;
  expect(file.due()).toBe(false);
  now = 60_000;
  expect(file.due()).toBe(true);
  // a save of ten seconds
  const saving = file.save(progress);
  now = 70_000;
  await saving;
  now = 70_000 + 199_999;
  expect(file.due()).toBe(false);
  now = 70_000 + 200_000;
  expect(file.due()).toBe(true);
  clock.mockRestore();
});
