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
  const inputs = counts.flatMap((count) =>
    (features.patchMean ? [false, true] : [false]).map((avgpool) => ({ blocks: count, avgpool })),
  );
  const members = inputs.flatMap((input) => learningRates.map((baseRate) => ({ input, baseRate })));
  const ranges = members.map(({ input }) => probeColumns(features, input));
  const initialOf = initialHeads(
    ranges.map(([start, end]) => end - start),
    classes,
    seed,
  );
  return members.map(({ input, baseRate }, head) => {
    const [start, end] = ranges[head]!;
    const learningRate = (baseRate * batchSize) / 256;
    const name = headName(input, learningRate);
    return {
      ...{ name, input, baseRate, start, end, learningRate },
      get initial() {
        return initialOf(head);
      },
    };
  });
}

/**
 * Heads of these widths by number, whose weights are drawn one head after the other from one stream. None is kept, only where the draws of
 * each begin: 52 heads over 1,000 classes of a wide model are a gigabyte.
 */
function initialHeads(widths: readonly number[], classes: number, seed: number): (head: number) => LinearClassifier {
  const begins = [random(seed)];
  const draw = (head: number): LinearClassifier => {
    const draws = begins[head]!.fork();
    const data = new Float32Array(classes * widths[head]!);
    for (let i = 0; i < data.length; i++) data[i] = 0.01 * draws.normal();
    begins[head + 1] ??= draws;
    return { weight: { data, rows: classes, cols: widths[head]! }, bias: new Float32Array(classes) };
  };
  return (head) => {
    while (begins.length <= head) draw(begins.length - 1);
    return draw(head);
  };
}

/** `classifier_4_blocks_avgpool_True_lr_0_05000`. */
export function headName({ blocks, avgpool }: ProbeInput, learningRate: number): string {
  const pooled = avgpool ? 'True' : 'False';
  return `classifier_${blocks}_blocks_avgpool_${pooled}_lr_${learningRate.toFixed(5).replace('.', '_')}`;
}
