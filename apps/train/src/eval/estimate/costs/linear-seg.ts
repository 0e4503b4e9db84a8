/** What linear segmentation costs: each epoch all its heads learn from all train images and are scored on those that it is chosen on. */
import { linearSegmentation } from '@franca/evals';
import { probeBatch } from '../../linear-training';
import { follow, type LinearSegValues, PAPER_LINEAR_SEG, type ProtocolOptions } from '../../paper-protocol';
import { HELD_BYTES, POOL_BYTES } from '../../segmentation-features';
import { madeUpPatches, type PatchShape, repeated } from '../made-up';
import type { CostQuestion, TaskCost, Work } from '../task-cost';
import { floats, gridOf, patchesOf } from './readings';

export interface LinearSegCostOptions extends ProtocolOptions, Partial<LinearSegValues> {}

/** Side at which the reference takes loss and score. */
const SIDE = 100;
const RATES = 5;
const EPOCHS = 25;
const HELD_SHARE = 0.1;

export interface LinearSegSizes {
  /** Images that heads learn from and are scored on, each head by itself. */
  readonly learnt: number;
  readonly scored: number;
}

/** The chosen head is trained again for as many epochs as turn out best: here all of them. */
export function linearSegSizes(
  { epochs = EPOCHS, learningRates, select = 'train-holdout' }: Partial<LinearSegValues>,
  { train, test }: { readonly train: number; readonly test: number },
): LinearSegSizes {
  const heads = learningRates?.length ?? RATES;
  const held = select === 'test' ? 0 : Math.round(HELD_SHARE * train);
  return {
    learnt: epochs * heads * (train - held) + (held > 0 ? epochs * train : 0),
    scored: epochs * heads * (held > 0 ? held : test) + test,
  };
}

/** Images of a trial's step, at most. */
const IMAGES = 16;

export async function linearSegCost(question: CostQuestion, options: LinearSegCostOptions): Promise<TaskCost> {
  const { session, context, sets } = question;
  const { protocol } = options;
  const asked = { task: 'linear-seg', protocol, paper: PAPER_LINEAR_SEG, given: options, input: context.input() };
  const { values, look } = follow(asked);
  const { train, test } = await sets('dense');
  const { dim, shape, cells } = shapeOf(question, train.classes.length);
  const batchSize = values.trainBatch ?? probeBatch(train.length);
  const heads = values.learningRates?.length ?? RATES;
  const side = values.compareAt ?? Math.min(SIDE, session.size);
  const sizes = linearSegSizes(values, { train: train.length, test: test.length });
  const reading = patchesOf(session, train, look);
  const held = heldFeatures(floats(train.length, cells, dim)) + heldFeatures(floats(test.length, cells, dim));
  return {
    reads: [
      values.augment ? { ...reading, fresh: (values.epochs ?? EPOCHS) * train.length } : reading,
      patchesOf(session, test, look),
    ],
    work: stepWork(question, shape, { ...sizes, heads, side, images: Math.min(batchSize, IMAGES) }),
    held: {
      host: held + 2 * floats(batchSize, cells, dim) + floats(batchSize, side, side),
      device: floats(batchSize, cells, dim + 2 * heads * train.classes.length) + 2 * floats(batchSize, side, side),
    },
    unknown: ['the best epoch, up to which the chosen head is trained again: taken for the last'],
  };
}

/** A part whose features take so much is held, of others a pool. */
const heldFeatures = (bytes: number): number => (bytes <= HELD_BYTES ? bytes : Math.min(bytes, POOL_BYTES));

function shapeOf({ session }: CostQuestion, classes: number) {
  const grid = gridOf(session);
  const dim = session.model.config.embedDim;
  const shape: PatchShape = { dim, grid, side: session.size, classes };
  return { dim, shape, cells: grid[0] * grid[1] };
}

interface Steps extends LinearSegSizes {
  readonly heads: number;
  readonly side: number;
  readonly images: number;
}

function stepWork(
  { backend }: CostQuestion,
  shape: PatchShape,
  { learnt, scored, heads, side, images }: Steps,
): Work[] {
  const learningRates = Array.from({ length: heads }, (_, i) => 0.001 * (i + 1));
  const common = { backend, classes: shape.classes, epochs: 1, batchSize: images, learningRates };
  const one = madeUpPatches(1, shape);
  const learn = (batches: number): Promise<unknown> =>
    linearSegmentation(() => repeated(madeUpPatches(images, shape), batches), one, {
      ...common,
      select: 'test',
      size: [side, side],
    });
  const score = (validation: number): Promise<unknown> =>
    linearSegmentation(() => [one], one, {
      ...common,
      select: { validation: madeUpPatches(validation, shape) },
      size: [side, side],
    });
  return [
    {
      name: 'training of the heads',
      units: learnt,
      trial: (scale) => ({ units: scale * images * heads, run: () => learn(scale) }),
    },
    { name: 'scores', units: scored, trial: (scale) => ({ units: scale * heads, run: () => score(scale) }) },
  ];
}
