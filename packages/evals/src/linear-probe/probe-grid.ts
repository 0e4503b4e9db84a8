/**
 * The classifiers that a linear probe tries: learning rates x numbers of blocks x patch mean. The official grid is 13
 * learning rates x {last block, last 4 blocks} x {without, with the patch mean} = 52 classifiers. The base rates are
 * for a batch of 256 and scale with the batch: `rate = base * batch / 256`.
 */
import type { LinearClassifier, LinearHead } from '../backend/eval-backend';
import { checkOption } from '../errors';
import { random } from '../numerics/random';
import { type ProbeInput, type ProbeShape, probeColumns } from './probe-features';

/** Base rates of the official grid. */
export const OFFICIAL_LEARNING_RATES: readonly number[] = [
  1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1,
];

/** One classifier of the grid. */
export interface ProbeHead extends LinearHead {
  /** As the official program names it, with the scaled learning rate. */
  readonly name: string;
  readonly input: ProbeInput;
  readonly baseRate: number;
}

export interface GridOptions {
  readonly classes: number;
  readonly batchSize: number;
  readonly learningRates: readonly number[];
  /** Numbers of blocks to try; those the features do not have are left out. */
  readonly blocks: readonly number[];
  /** Seed of the initial weights, N(0, 0.01^2); biases start at 0. */
  readonly seed: number;
}

/** The classifiers to train on features of this shape. */
export function probeGrid(
  features: ProbeShape,
  { classes, batchSize, learningRates, blocks, seed }: GridOptions,
): ProbeHead[] {
  const counts = blocks.filter((count) => count <= features.blocks);
  checkOption(
    counts.length > 0 && learningRates.length > 0,
    `no classifier to train: blocks [${blocks}] of ${features.blocks}, learning rates [${learningRates}]`,
  );
  const { normal } = random(seed);
  const inputs = counts.flatMap((count) =>
    (features.patchMean ? [false, true] : [false]).map((avgpool) => ({ blocks: count, avgpool })),
  );
  return inputs.flatMap((input) =>
    learningRates.map((baseRate) => {
      const [start, end] = probeColumns(features, input);
      const data = Float32Array.from({ length: classes * (end - start) }, () => 0.01 * normal());
      const initial: LinearClassifier = {
        weight: { data, rows: classes, cols: end - start },
        bias: new Float32Array(classes),
      };
      const learningRate = (baseRate * batchSize) / 256;
      return { name: headName(input, learningRate), input, baseRate, start, end, learningRate, initial };
    }),
  );
}

/** `classifier_4_blocks_avgpool_True_lr_0_05000`. */
export function headName({ blocks, avgpool }: ProbeInput, learningRate: number): string {
  const pooled = avgpool ? 'True' : 'False';
  return `classifier_${blocks}_blocks_avgpool_${pooled}_lr_${learningRate.toFixed(5).replace('.', '_')}`;
}
