/**
 * What a linear probe costs. A step multiplies a batch with the weights of all classifiers, forwards and twice backwards, so that its time is that of
 *
 *     images * columns * classes,   columns = sum over classifiers of the numbers that they read of an image
 */
import {
  type EvalBackend,
  linearProbe,
  OFFICIAL_LEARNING_RATES,
  type ProbeInput,
  type ProbeShape,
  scoreProbe,
} from '@franca/evals';
import { PROBE_BYTES } from '../../linear-training';
import { madeUpProbe, madeUpRows } from '../made-up';
import type { HeldBytes, Work } from '../task-cost';
import { floats } from './readings';

export interface ProbeCost {
  readonly backend: EvalBackend;
  readonly shape: ProbeShape;
  readonly classes: number;
  readonly train: number;
  readonly test: number;
  readonly batchSize: number;
  /** Default 10, where there are no `iterations`. */
  readonly epochs?: number | undefined;
  readonly iterations?: number | undefined;
  readonly select: 'train-holdout' | 'test';
  readonly learningRates?: readonly number[] | undefined;
  /** Numbers of last blocks that are tried; default 1 and 4. */
  readonly blocks?: readonly number[];
  /** Whether the chosen one is trained again on all of train. */
  readonly again: boolean;
}

export interface ProbeSizes {
  /** Of the grid, and of the chosen one alone. */
  readonly steps: number;
  readonly stepsAgain: number;
  readonly classifiers: number;
  /** Of all classifiers together, and of the widest. */
  readonly columns: number;
  readonly widest: number;
  /** Images that classifiers are chosen on. */
  readonly judged: number;
}

const HELD_SHARE = 0.1;

export function probeSizes(cost: Omit<ProbeCost, 'backend' | 'classes'>): ProbeSizes {
  const { shape, train, test, batchSize, epochs = 10, iterations, select, again } = cost;
  const { blocks = [1, 4], learningRates = OFFICIAL_LEARNING_RATES } = cost;
  const held = select === 'test' ? 0 : Math.round(HELD_SHARE * train);
  const stepsOver = (images: number): number => iterations ?? Math.max(1, Math.round((epochs * images) / batchSize));
  const pooled = shape.patchMean ? [0, 1] : [0];
  const widths = blocks
    .filter((count) => count <= shape.blocks)
    .flatMap((count) => pooled.map((mean) => (count + mean) * shape.dim));
  return {
    steps: stepsOver(train - held),
    stepsAgain: again && held > 0 ? stepsOver(train) : 0,
    classifiers: learningRates.length * widths.length,
    columns: learningRates.length * widths.reduce((sum, width) => sum + width, 0),
    widest: Math.max(...widths),
    judged: held > 0 ? held : test,
  };
}

/** Classes and images of a trial: fewer than there may be, enough to keep a device busy. */
const CLASSES = 64;
const IMAGES = 256;

/** Its training, and what its scores on the tested part take. */
export function probeWork(cost: ProbeCost): Work[] {
  const { classes, batchSize, test } = cost;
  const { steps, stepsAgain, columns, widest, judged } = probeSizes(cost);
  return [
    trainingWork(cost, (batchSize * steps * columns + batchSize * stepsAgain * widest) * classes, columns),
    scoringWork(cost, 'choice and score', (judged * columns + test * widest) * classes),
  ];
}

function trainingWork(cost: ProbeCost, units: number, columns: number): Work {
  const { backend, shape, batchSize, blocks, learningRates } = cost;
  const classes = Math.min(cost.classes, CLASSES);
  return {
    name: 'training of the classifiers',
    units,
    trial: (scale) => ({
      units: scale * batchSize * columns * classes,
      async run() {
        const batch = madeUpProbe(batchSize, shape, classes);
        const stream = {
          ...{ ...shape, items: batchSize, classes },
          async *batches() {
            while (true) yield batch;
          },
        };
        const test = madeUpProbe(1, shape, classes);
        const options = { backend, batchSize, iterations: scale, select: 'test', classes, learningRates } as const;
        await linearProbe(stream, test, { ...options, ...(blocks && { blocks }) });
      },
    }),
  };
}

/** `units`: images x columns x classes. */
export function scoringWork(
  { backend, shape, classes }: Pick<ProbeCost, 'backend' | 'shape' | 'classes'>,
  name: string,
  units: number,
): Work {
  const input: ProbeInput = { blocks: shape.blocks, avgpool: shape.patchMean };
  const cols = (shape.blocks + Number(shape.patchMean)) * shape.dim;
  return {
    name,
    units,
    trial: (scale) => ({
      units: scale * IMAGES * cols * classes,
      async run() {
        const weight = { data: madeUpRows(classes, cols), rows: classes, cols };
        const probe = { name: '', input, classifier: { weight, bias: new Float32Array(classes) } };
        const features = madeUpProbe(IMAGES, shape, classes);
        for (let i = 0; i < scale; i++) await scoreProbe(probe, features, { backend });
      },
    }),
  };
}

/** Weights with gradient and momentum on the device; a batch, the weights once more and so many rows of features beside them. */
export function probeHeld(
  { shape, classes, batchSize }: Pick<ProbeCost, 'shape' | 'classes' | 'batchSize'>,
  columns: number,
  rows: number,
): HeldBytes {
  const tokens = shape.blocks + Number(shape.patchMean);
  const batch = floats(batchSize, tokens, shape.dim);
  return {
    host: Math.min(PROBE_BYTES, floats(rows, tokens, shape.dim)) + batch + floats(columns, classes),
    device: 3 * floats(columns, classes) + batch,
  };
}
