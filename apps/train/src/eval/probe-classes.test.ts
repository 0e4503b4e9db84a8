import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGENET_CLASSES } from '@franca/data';
import { cpuBackend } from '@franca/evals';
import { expect, test } from 'vitest';
import type { ImageSet } from '../image-sets/image-set';
import { type ImagePart, labelledBatches } from './image-part';
import { mapClasses, scoreAccepted, scoreSet } from './probe-classes';
import { acceptedClasses } from './real-labels';

const wnids = (...places: number[]): string[] => places.map((place) => IMAGENET_CLASSES[place]!);

/** Its logits are the features themselves. */
const known = {
  classes: wnids(0, 11, 13, 71),
  probe: {
    name: 'identity',
    input: { blocks: 1, avgpool: false },
    classifier: {
      weight: { data: Float32Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)), rows: 4, cols: 4 },
      bias: new Float32Array(4),
    },
  },
};

/** Images of these classes with these logits. */
function partOf(classes: readonly string[], images: readonly (readonly [label: number, ...logits: number[]])[]) {
  const labels = Int32Array.from(images, ([label]) => label);
  const cls = Float32Array.from(images.flatMap(([, ...logits]) => logits));
  const read = async (begin: number, end: number) => ({
    dim: 4,
    blocks: [cls.subarray(4 * begin, 4 * end)],
    labels: labels.subarray(begin, end),
  });
  const probe = { dim: 4, blocks: 1, patchMean: false, labels, read };
  const features = async () => ({ images: Int32Array.from(images.keys()), probe, batches: labelledBatches(probe) });
  return {
    set: { dataset: 's', classes } as Partial<ImageSet>,
    preprocessing: '',
    features,
  } as Partial<ImagePart> as ImagePart;
}

test('ImageNet-A and -R: logits of classes that the set does not have are left out before the largest is taken', async () => {
  const part = partOf(wnids(11, 13), [
    [0, 9, 1, 0, 0],
    [1, 0, 3, 2, 0],
    [1, 0, 1, 2, 5],
  ]);
  const own = await scoreSet(known, part, { backend: cpuBackend, among: 'own' });
  expect([own.top1, own.evaluated, Array.from(own.predicted)]).toEqual([2 / 3, 3, [0, 0, 1]]);
  const all = await scoreSet(known, part, { backend: cpuBackend, among: 'all' });
  expect([all.top1, Array.from(all.predicted)]).toEqual([0, [0, 1, 3]]);
});

test('ImageNetV2: a class is the number of its place among the 1,000', async () => {
  const part = partOf(
    ['0', '11', '71'],
    [
      [1, 0, 5, 1, 1],
      [2, 0, 0, 9, 1],
      [2, 0, 0, 1, 9],
      [0, 3, 2, 1, 0],
    ],
  );
  const options = { backend: cpuBackend, among: 'all', naming: 'imagenet-number' } as const;
  expect((await scoreSet(known, part, options)).top1).toBe(3 / 4);
  expect(() => mapClasses(known.classes, { dataset: 'v2', classes: ['0', '5', '1000'] }, options.naming)).toThrow(
    "2 of the 3 classes of v2 are none of the probe's 4: 5, 1000; train a probe on a set that has them",
  );
});

test('classes are matched by name, whatever their order in the set, by identifiers where they have titles too', async () => {
  const part = partOf(wnids(71, 0), [
    [0, 0, 0, 1, 9],
    [1, 1, 2, 0, 0],
  ]);
  const score = await scoreSet(known, part, { backend: cpuBackend, among: 'all' });
  expect([score.top1, score.top5]).toEqual([1 / 2, 1]);
  expect(mapClasses(known.classes, { dataset: 's', classes: ['fish', 'owl'], classIds: wnids(0, 13) })).toEqual([0, 2]);
  expect(() => mapClasses(known.classes, { dataset: 's', classes: wnids(0, 5) })).toThrow(
    /1 of the 2 classes .*n01496331/,
  );
  expect(() => mapClasses(known.classes, { dataset: 's', classes: [] })).toThrow(/no classes/);
});

test('ReaL: any accepted class is right, images without one are left out, a class that the probe does not have is never predicted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-real-'));
  const file = join(folder, 'real.json');
  await writeFile(file, `[[11],[0,13],[],[999]${',[]'.repeat(49_996)}]`);
  const key = (index: number): string => `val/x/ILSVRC2012_val_0000000${index + 1}.JPEG`;
  const accepted = await acceptedClasses(file, { key, length: 4 }, known.classes);
  expect(accepted).toEqual([[1], [0, 2], [], [-1]]);
  const part = partOf(known.classes, [
    [0, 0, 5, 1, 1],
    [0, 0, 0, 9, 1],
    [0, 9, 0, 1, 9],
    [0, 3, 2, 1, 0],
  ]);
  const score = await scoreAccepted(known, part, { backend: cpuBackend, accepted });
  expect([score.top1, score.evaluated]).toEqual([2 / 3, 3]);
  await expect(acceptedClasses(file, { key: () => 'a/1.jpg', length: 1 }, known.classes)).rejects.toThrow(/a\/1.jpg/);
  await rm(folder, { recursive: true });
});
