/** In-context segmentation (Hummingbird): labels of similar train patches. */
import { resizeBicubic } from '@franca/data';
import { inContextSegmentation } from '@franca/evals';
import { segmentationFigure } from '@franca/viz';
import { Option } from 'commander';
import type { ImageSet } from '../../image-sets/image-set';
import { positiveInteger, positiveNumber } from '../../options/option-values';
import { collectSegmentation, type MaskedFeatures } from '../part';
import {
  bothParts,
  classTable,
  type ScoringOptions,
  scoringOf,
  withOtherMean,
  withScoring,
} from '../segmentation-scoring';
import type { EvalTask } from '../task';

interface Options extends ScoringOptions {
  readonly neighbours?: number;
  readonly temperature?: number;
  readonly memory?: number;
  readonly relabel?: 'none' | 'hungarian';
}

export const task: EvalTask = {
  name: 'in-context',
  about: 'in-context segmentation by 30 neighbours (Hummingbird, paper Table 4)',
  reads: 'segmentation',
  order: 6,
  options: (command) =>
    withScoring(command)
      .option('--neighbours <k>', 'that vote (default: 30)', positiveInteger)
      .option('--temperature <t>', 'of the votes (default: 0.02)', positiveNumber)
      .option('--memory <n>', 'patches kept of train (default: all)', positiveInteger)
      .addOption(
        new Option('--relabel <how>', 'hungarian renames predictions before scoring, as the reference does').choices([
          'none',
          'hungarian',
        ]),
      ),
  async run(context, { neighbours, temperature, memory, relabel, ...scoring }: Options) {
    const { train, test } = await bothParts(context);
    const settings = scoringOf(test.set, scoring);
    const features = await collectSegmentation(test);
    const { outcome, predicted } = await inContextSegmentation(train.batches, features, {
      ...settings,
      backend: context.backend,
      k: neighbours,
      temperature,
      memory: memory ? { patches: memory, images: train.set.length } : undefined,
      relabel,
    });
    const records = context.records(test, withOtherMean(test.set, scoring, [outcome]), undefined, [train]);
    const figure = await predictionsFigure(test.set, predicted, features);
    return { records, section: { charts: [{ figure }], tables: [classTable(test.set, records)] } };
  },
};

const SHOWN = 6;

/** The first test images with what was predicted and what is there. */
async function predictionsFigure(
  set: ImageSet,
  predicted: readonly Int32Array[],
  { images, masks, maskSize }: MaskedFeatures,
) {
  const [size] = maskSize;
  const items = [];
  for (let i = 0; i < Math.min(SHOWN, predicted.length); i++) {
    const image = await set.read(images[i]!);
    const truth = masks.subarray(i * size * size, (i + 1) * size * size);
    items.push({
      image: resizeBicubic(image, size, size),
      maps: [
        { labels: predicted[i]!, grid: maskSize },
        { labels: truth, grid: maskSize },
      ],
    });
  }
  return segmentationFigure(items, { columns: ['predicted', 'labelled'], classes: set.classes });
}
