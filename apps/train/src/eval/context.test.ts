import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuBackend } from '@franca/evals';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/tiny-model';
import type { FeatureSession } from '../features/session';
import { openContext } from './context';

const PICTURE = new URL('../../../../packages/data/generated-world.webp', import.meta.url);

/** A model that writes down what it was asked for and says nothing about the images. */
function listeningSession() {
  const asked: string[] = [];
  const session: Partial<FeatureSession> = {
    size: 16,
    weights: { name: 'silent', rasa: { planes: [], folded: undefined } } as Partial<
      FeatureSession['weights']
    > as FeatureSession['weights'],
    model: { config: { depth: 12, patchSize: 8 } } as FeatureSession['model'],
    shards(set, { blocks = 1 }) {
      asked.push(`${set.split}: ${blocks} of ${set.dataset}`);
      const labels = Int32Array.from({ length: set.length }, (_, i) => set.label(i));
      const zeros = (width: number) => new Float32Array(set.length * width);
      return (async function* () {
        yield {
          blocks: { shape: [set.length, blocks, 2], data: zeros(2 * blocks) },
          patch_mean: { shape: [set.length, 2], data: zeros(2) },
          labels: { shape: [set.length], data: labels },
        };
      })();
    },
  };
  return { asked, session: session as FeatureSession };
}

const contextOf = (session: FeatureSession | undefined, data: string, blocks?: number) =>
  openContext(session, cpuBackend, { data, denseData: data, images: {}, denseImages: {}, ...(blocks && { blocks }) });

const WORLD = 'world:length=6:size=16:classes=3';

test('a task that asks for test images has no train images computed', async () => {
  const { session, asked } = listeningSession();
  await using context = contextOf(session, WORLD);
  await context.labelled('test');
  expect(asked).toEqual([`val: 1 of ${WORLD}`]);
});

test('features are computed once, with as many blocks as one of the tasks reads', async () => {
  const { session, asked } = listeningSession();
  await using context = contextOf(session, WORLD, 4);
  const first = await context.labelled('train');
  expect(await context.images('train')).toBe(first);
  await context.other(WORLD);
  expect(asked).toEqual([`train: 4 of ${WORLD}`, `val: 1 of ${WORLD}`]);
});

test('images without classes are there for whom needs none', async () => {
  const folder = await temporaryFolder();
  for (let i = 0; i < 20; i++) await copyFile(PICTURE, join(folder, `${i}.webp`));
  const { session } = listeningSession();
  await using context = contextOf(session, folder);
  expect([...new Set((await context.images('test')).features.labelled.labels)]).toEqual([-1]);
  await expect(context.labelled('test')).rejects.toThrow(/has no classes/);
  await expect(context.segmentation('test')).rejects.toThrow(/has no masks/);
  await rm(folder, { recursive: true });
});

test('without a model there is only what needs none', async () => {
  await using context = contextOf(undefined, WORLD);
  expect(context.grid).toEqual([16, 16]);
  await expect(context.images('test')).rejects.toThrow(/needs a model/);
});
