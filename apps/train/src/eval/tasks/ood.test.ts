import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuBackend, type LabelledFeatures, type StoredProbeFeatures } from '@franca/evals';
import { expect, test } from 'vitest';
import type { FeatureSession } from '../../features/session';
import type { ImageSet } from '../../image-sets/image-set';
import type { EvalContext } from '../context';
import { type ImagePart, labelledBatches } from '../image-part';
import { task } from './ood';

/** Two images of each of six classes that lie far apart, of a list of a hundred. */
const CLASSES = [3, 17, 40, 41, 77, 98];
const features: LabelledFeatures = {
  dim: 6,
  cls: Float32Array.from(
    CLASSES.flatMap((_, c) => [0, 1].flatMap((i) => CLASSES.map((_, d) => (c === d ? 5 + i : 0.1)))),
  ),
  labels: Int32Array.from(CLASSES.flatMap((label) => [label, label])),
};
const probe: StoredProbeFeatures = {
  ...{ dim: 6, blocks: 1, patchMean: false, labels: features.labels },
  read: async (begin, end) => ({
    dim: 6,
    blocks: [features.cls.subarray(6 * begin, 6 * end)],
    labels: features.labels.subarray(begin, end),
  }),
};
const part: Partial<ImagePart> = {
  set: {
    classes: Array.from({ length: 100 }, (_, i) => `${i}`),
    notes: [] as readonly string[],
  } as Partial<ImageSet> as ImageSet,
  preprocessing: 'none',
  shape: { dim: 6, blocks: 1, patchMean: false },
  features: async () => ({ images: new Int32Array(12), probe, batches: labelledBatches(probe) }),
};

/** What progress is told apart by. */
const session = {
  cacheFolder: join(tmpdir(), 'franca-ood-progress'),
  weights: { rasa: { planes: [] } },
  extraction: { weights: '', code: '', versions: async () => '' },
} as unknown as FeatureSession;

test('of the classes that have images two of every five are foreign', async () => {
  const context = {
    backend: cpuBackend,
    session: () => session,
    input: () => ({ size: 32, patchSize: 8 }),
    labelled: async () => part as ImagePart,
    records: () => [],
  } as Partial<EvalContext> as EvalContext;
  const { section } = await task.run(context, {});
  expect(section!.tables![0]!.rows[0]!.slice(0, 2)).toEqual(['msp against 2 held-out classes', '8 + 4']);
});
