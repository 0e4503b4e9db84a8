/** How well position is read after each plane: least squares fitted on train images, R2 on test images; beside it what the fit itself read. */
import { type EvalBackend, type EvalRecord, evalRecord, type PatchFeatures, positionDecodability } from '@franca/evals';
import { type Basis, type RasaFit, removePlanes } from '@franca/rasa';
import { type Figure, lineChart } from '@franca/viz';
import type { DensePart, Parts } from '../eval/part';
import { countedPlanes, describeRasa } from '../features/rasa-of-weights';
import type { FeatureSession } from '../features/session';

/** Which planes are removed, in words. */
export const DIRECTIONS: Readonly<Record<RasaFit['directions'], string>> = {
  patterns: 'along which features vary with what heads read',
  weights: "of the heads' weights, as published",
};

/** Names in `others`: least squares on the images of the fit, how much of it is chance, and the head that is trained next. */
export const FIT_R2 = 'R2, images of the fit';
export const FIT_CHANCE = 'of it chance';
export const HEAD_R2 = 'R2 of the next head';

/** Planes to read after each of, and the fit that found them, where it was here. */
export interface PlanesToRead {
  readonly bases: readonly Basis[];
  readonly fit?: Pick<RasaFit, 'directions' | 'before' | 'stages'>;
  /** For the records: what is to be known of the fit, and by whose settings it was. */
  readonly notes?: readonly string[];
  readonly settings?: string;
}

/** One record before any removal and one after each plane. `session`: without planes. */
export async function positionReadings(
  backend: EvalBackend,
  { train, test }: Parts<DensePart>,
  { bases, fit, notes: ofFit = [], settings }: PlanesToRead,
  {
    weights: { model: name, notes },
    leftOut,
    size,
    model,
  }: Pick<FeatureSession, 'weights' | 'leftOut' | 'size' | 'model'>,
): Promise<EvalRecord[]> {
  const records: EvalRecord[] = [];
  const patchesOfImage = (size / model.config.patchSize) ** 2;
  for (let planes = 0; planes <= bases.length; planes++) {
    const removed = bases.slice(0, planes);
    const { outcome } = await positionDecodability(without(train, removed), without(test, removed), { backend });
    const subject = {
      dataset: test.set.dataset,
      split: test.set.split,
      features: `${name}${describeRasa({ planes: removed, folded: undefined })}`,
      preprocessing: test.preprocessing,
      notes: [
        ...new Set([...ofFit, ...notes, ...train.set.notes, ...test.set.notes, ...leftOut.notes([test.set.dataset])]),
      ],
    };
    const variant = planes === 0 ? 'before' : `after ${countedPlanes(planes)}`;
    const others = { ...outcome.others, ...(fit && readByFit(fit, planes)) };
    const hyper = {
      ...outcome.hyper,
      planes: fit ? DIRECTIONS[fit.directions] : 'of the weights',
      ...(settings && { settings }),
    };
    records.push(evalRecord(subject, { ...outcome, hyper, others, variant, total: test.set.total * patchesOfImage }));
  }
  return records;
}

/** What the fit read after so many planes. */
function readByFit({ before, stages }: NonNullable<PlanesToRead['fit']>, planes: number): Record<string, number> {
  const { r2, chance } = planes === 0 ? before : stages[planes - 1]!.after;
  const next = stages[planes];
  return { [FIT_R2]: r2, [FIT_CHANCE]: chance, ...(next && { [HEAD_R2]: next.head.r2 }) };
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
      series('least squares, test images', readings, ({ value }) => value),
      ...(readings.every(({ others }) => FIT_R2 in others)
        ? [series('least squares, images of the fit', readings, ({ others }) => others[FIT_R2]!)]
        : []),
    ],
    { title: 'Position read from patch tokens', x: { label: 'planes removed' }, y: { label: 'R2' }, markers: true },
  );

const series = (name: string, readings: readonly EvalRecord[], read: (record: EvalRecord) => number) => ({
  name,
  x: readings.map((_, planes) => planes),
  y: readings.map(read),
});
