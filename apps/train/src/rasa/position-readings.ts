/** How well position is read after each plane: least squares fitted on train images, R2 on test images. */
import { type EvalBackend, type EvalRecord, evalRecord, type PatchFeatures, positionDecodability } from '@franca/evals';
import { type Basis, removePlanes } from '@franca/rasa';
import { type Figure, lineChart } from '@franca/viz';
import type { DensePart, Parts } from '../eval/part';
import type { FeatureSession } from '../features/session';

/** One record before any removal and one after each plane. */
export async function positionReadings(
  backend: EvalBackend,
  { train, test }: Parts<DensePart>,
  bases: readonly Basis[],
  { weights: { name, notes }, leftOut, size, model }: Pick<FeatureSession, 'weights' | 'leftOut' | 'size' | 'model'>,
): Promise<EvalRecord[]> {
  const records: EvalRecord[] = [];
  const patchesOfImage = (size / model.config.patchSize) ** 2;
  for (let planes = 0; planes <= bases.length; planes++) {
    const removed = bases.slice(0, planes);
    const { outcome } = await positionDecodability(without(train, removed), without(test, removed), { backend });
    const subject = {
      dataset: test.set.dataset,
      split: test.set.split,
      features: name,
      preprocessing: test.preprocessing,
      notes: [...new Set([...notes, ...train.set.notes, ...test.set.notes, ...leftOut.notes([test.set.dataset])])],
    };
    const variant = planes === 0 ? 'before' : `after ${planes} ${planes === 1 ? 'plane' : 'planes'}`;
    records.push(evalRecord(subject, { ...outcome, variant, total: test.set.total * patchesOfImage }));
  }
  return records;
}

const without = ({ batches }: DensePart, planes: readonly Basis[]): AsyncIterable<PatchFeatures> => ({
  async *[Symbol.asyncIterator]() {
    for await (const batch of batches) {
      removePlanes(batch.patches, batch.dim, planes);
      yield batch;
    }
  },
});

/** R2 against the number of planes that were removed. */
export const positionChart = (readings: readonly EvalRecord[]): Figure =>
  lineChart(
    [
      {
        name: 'least squares, test images',
        x: readings.map((_, planes) => planes),
        y: readings.map(({ value }) => value),
      },
    ],
    { title: 'Position read from patch tokens', x: { label: 'planes removed' }, y: { label: 'R2' }, markers: true },
  );
