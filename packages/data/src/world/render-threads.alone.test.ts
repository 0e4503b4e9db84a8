import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, it, vi } from 'vitest';
import { drawScene } from './draw-scene';
import { generatedWorld } from './generated-world';
import { renderScene } from './render-scene';
import { createRenderThreads, type PictureOrder } from './render-threads';

const made = vi.hoisted(() => ({ threads: 0, pictures: 0 }));
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class Worker extends actual.Worker {
    constructor(...options: ConstructorParameters<typeof actual.Worker>) {
      super(...options);
      made.threads++;
      this.on('message', () => made.pictures++);
    }
  }
  return { ...actual, Worker };
});
afterEach(() => {
  Object.assign(made, { threads: 0, pictures: 0 });
});

const order = (index: number): PictureOrder => ({ scene: [index, 12, 4, 'easy'], size: 32 });
const expected = (index: number) => renderScene(drawScene(...order(index).scene), 32).image;

it('gives the pixels that the scene has without threads, each to who asked for it', async () => {
  const threads = createRenderThreads({ pixelsAlone: 0 });
  const indices = [...Array(20).keys()];
  const images = await Promise.all(indices.map((index) => threads.render(order(index))));
  expect(made.pictures).toBe(20);
  expect(images).toEqual(indices.map(expected));
  await threads.close();
});

it('starts no thread for a few pictures, nor when a world is opened with options that it refuses', async () => {
  expect(() => generatedWorld({ size: 4000 })).toThrow(expect.objectContaining({ code: 'argument' }));
  const world = generatedWorld({ size: 96 });
  for (let index = 0; index < 8; index++) await world.read(index);
  expect(made.threads).toBe(0);
});

it('renders by itself what a thread fails to, and starts no more of them', async () => {
  const threads = createRenderThreads({ program: pathToFileURL('/no/such/program.js'), pixelsAlone: 0 });
  expect(await threads.render(order(2))).toEqual(expected(2));
  const before = made.threads;
  expect(await threads.render(order(3))).toEqual(expected(3));
  expect(made.threads).toBe(before);
});

it('reports a scene that throws as without threads', async () => {
  const threads = createRenderThreads({ pixelsAlone: 0 });
  const broken: PictureOrder = { ...order(0), scene: [0, 0, 0, 'easy'] };
  const error = await Promise.resolve()
    .then(() => drawScene(...broken.scene))
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  await expect(threads.render(broken)).rejects.toThrow((error as Error).message);
});

it('gives pictures under way when it is closed, and later ones too', async () => {
  const threads = createRenderThreads({ pixelsAlone: 0 });
  const pictures = [0, 1, 2].map((index) => threads.render(order(index)));
  await threads.close();
  expect(await Promise.all(pictures)).toEqual([0, 1, 2].map(expected));
  const { pictures: before } = made;
  expect(await threads.render(order(5))).toEqual(expected(5));
  expect(made.pictures).toBe(before + 1);
  await threads.close();
});

it('lets a program end that has read enough for threads and closes nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-threads-'));
  const program = join(folder, 'read.mts');
  await writeFile(
    program,
    `import { generatedWorld } from ${JSON.stringify(new URL('./generated-world.ts', import.meta.url).href)};
    const world = generatedWorld({ length: 300, size: 96 });
    for (let index = 0; index < 300; index++) await world.read(index);`,
  );
  try {
    // killed, and so rejected, where it does not end by itself
    await promisify(execFile)(process.execPath, ['--import', 'tsx', program], { timeout: 60_000 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
