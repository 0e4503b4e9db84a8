import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../../test/in-process';
import { temporaryFolder, writeTinyModel } from '../../../test/tiny-model';
import { openSession } from '../../features/session';
import { chooseBackend } from '../backend';
import { openContext } from '../context';
import { findTasks } from '../find-tasks';
import { shareSets } from '../shared-sets';

let folder: string;
let weights: string;
let model: readonly string[];
beforeAll(async () => {
  folder = await temporaryFolder();
  weights = await writeTinyModel(folder);
  model = ['-w', weights, '--heads', '2', '--cache', join(folder, 'cache')];
});
afterAll(() => rm(folder, { recursive: true }));

const WORLD = 'world:length=12:size=32:classes=2';

test('what k-NN takes is said and written, nothing of it is done, and the cache is asked', async () => {
  const json = join(folder, 'estimate.json');
  const words = ['eval', 'knn', ...model, '-d', WORLD, '--images', '12,4', '--json', json];
  const first = await run(...words, '--estimate');
  expect(first.status).toBe(0);
  expect(first.output).toMatch(/features of world\S* train +12 +0 +12 /);
  expect(first.output).toMatch(/\n {2}in all .*\nmemory: about .*\ndisk: .* more in .*\n/);
  expect(first.output).toContain(`eval knn -w ${weights}`);
  expect(first.output.split('to start it: ')[1]).not.toContain('--estimate');
  const figures = JSON.parse(await readFile(json, 'utf8'));
  expect(figures.estimates[0]).toMatchObject({ task: 'knn', reads: [{ images: 12, inCache: 0 }, { images: 4 }] });
  // 16 features of 16 numbers, and the numbers of their images
  expect(figures.disk.needed).toBe(16 * 4 * 17);
  expect((await run(...words)).status).toBe(0);
  expect((await run(...words, '--estimate')).output).toMatch(/train +12 +12 +0 +-/);
});

test('where nothing is read there is nothing to estimate', async () => {
  const { status, output } = await run('eval', 'coverage', '--estimate');
  expect(status).toBe(2);
  expect(output).toMatch(/--estimate has no effect where no images are read/);
});

test('every evaluation that reads images says what it costs, and can be tried in small', async () => {
  await using session = await openSession({ weights, heads: 2, batchSize: 4, cache: join(folder, 'cache') });
  using backend = chooseBackend(session);
  const limits = {
    images: { train: 12, test: 4 },
    denseImages: { train: 4, test: 2 },
    depthImages: { train: 8, test: 1 },
  };
  const data = {
    data: WORLD,
    denseData: 'world',
    pairData: 'world',
    boxData: 'world',
    videoData: 'world',
    depthData: 'world',
  };
  const asked = { ...data, ...limits, pairs: 2, boxImages: 1, videos: 1 };
  await using shared = shareSets(asked);
  await using context = openContext(session, backend, asked, shared);
  const question = { session, backend, sets: shared.sets, data: asked, context, opened: [] };
  const tasks = (await findTasks()).filter(({ reads }) => reads !== 'nothing');
  expect(tasks.filter(({ cost }) => !cost).map(({ name }) => name)).toEqual([]);
  for (const { name, cost, inAll } of tasks.filter(({ alone }) => !alone)) {
    const { reads, work, held } = await cost!(question, { ...inAll });
    expect(reads.length + work.length, name).toBeGreaterThan(0);
    expect(held.host + held.device, name).toBeGreaterThanOrEqual(0);
    for (const each of work) {
      expect(each.units, `${name}: ${each.name}`).toBeGreaterThan(0);
      const { units, run: runTrial } = each.trial(1);
      expect(units).toBeGreaterThan(0);
      await runTrial();
    }
  }
}, 120_000);
