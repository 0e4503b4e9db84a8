/**
 * Masks for one batch of crops. Of C crops, m = floor(C * probability) get a mask. Their masking ratios are stratified:
 * the range is cut into m equal bins with edges e_0..e_m, and mask i takes a ratio from bin i, count = floor(N * ratio).
 * So every batch covers the whole range, and the number of masked patches can never exceed
 * U = sum_i floor(N * e_{i+1}), a constant of the configuration: with it, a step has a fixed shape. The m masks and the
 * C - m empty ones are shuffled over the crops; two views of one image are masked independently. Edges, ratios and
 * products are rounded to f32, as in the official implementation, so that U agrees to the patch.
 */
import { checkOptions } from './check-options';
import { CyclicMaskError } from './errors';
import { cellCount, type Grid, type Mask } from './grid';
import { linspaceF32 } from './linspace';
import { checkRandom, type RandomSource } from './random';
import { type MaskStrategy, type MaskStrategyName, maskStrategies } from './strategy';

export interface BatchMaskOptions {
  /** Crops in the batch: 2b for b images with two global crops each. */
  readonly crops: number;
  /** Patch grid of one crop. */
  readonly grid: Grid;
  /** A name of `maskStrategies`, or a strategy of your own. Default `cyclic`. */
  readonly strategy?: MaskStrategyName | MaskStrategy;
  /** Fraction of the crops that get a mask. Default 0.5. */
  readonly probability?: number;
  /** Smallest and largest masked fraction of a masked crop. Default [0.1, 0.65]. */
  readonly ratio?: readonly [min: number, max: number];
}

const OPTIONS: Record<keyof BatchMaskOptions, true> = {
  crops: true,
  grid: true,
  strategy: true,
  probability: true,
  ratio: true,
};

/** One mask `[N]` per crop, in crop order. Throws `grid`, `batch`, `ratio`, `options`, `random`. */
export function sampleBatch(options: BatchMaskOptions, random: RandomSource): Mask[] {
  checkOptions('sampleBatch', options, OPTIONS);
  checkRandom(random);
  const { crops, grid } = options;
  const strategy = strategyOf(options.strategy);
  const cells = cellCount(grid);
  const edges = ratioEdges(options);
  const masks = edges.slice(1).map((high, bin) => {
    const ratio = random.uniform(edges[bin]!, high);
    return strategy(grid, patchesOf(cells, ratio), random);
  });
  while (masks.length < crops) masks.push(new Uint8Array(cells));
  shuffle(masks, random);
  return masks;
}

/** The strategy that is meant. */
function strategyOf(strategy: BatchMaskOptions['strategy'] = 'cyclic'): MaskStrategy {
  if (typeof strategy === 'function') return strategy;
  if (Object.hasOwn(maskStrategies, strategy)) return maskStrategies[strategy];
  throw new CyclicMaskError(
    'options',
    `there is no strategy ${JSON.stringify(strategy)}; give one of ${Object.keys(maskStrategies).join(', ')}, or a function`,
  );
}

/**
 * U: the largest number of patches that `sampleBatch` can mask in one batch, or in any `some` of its crops (default: all), which may get the fullest bins.
 * Throws as `sampleBatch` does.
 */
export function upperBound(options: Omit<BatchMaskOptions, 'strategy'>, some: number = options?.crops): number {
  checkOptions('upperBound', options, OPTIONS);
  const cells = cellCount(options.grid);
  const edges = ratioEdges(options).slice(1);
  if (!Number.isInteger(some) || some < 0 || some > options.crops)
    throw new CyclicMaskError('batch', `${some} crops are not some of ${options.crops}: give an integer up to that`);
  return edges.slice(Math.max(0, edges.length - some)).reduce((sum, edge) => sum + patchesOf(cells, edge), 0);
}

/** Edges e_0..e_m of the m ratio bins, in f32. */
function ratioEdges({ crops, probability = 0.5, ratio = [0.1, 0.65] }: Omit<BatchMaskOptions, 'strategy'>): number[] {
  if (!Number.isSafeInteger(crops) || crops < 1) {
    throw new CyclicMaskError('batch', `a batch of ${crops} crops cannot be masked: give a positive integer`);
  }
  if (!(probability >= 0 && probability <= 1)) {
    throw new CyclicMaskError('batch', `mask probability ${probability} is not a fraction from 0 to 1`);
  }
  if (!Array.isArray(ratio) || ratio.length !== 2) {
    throw new CyclicMaskError(
      'ratio',
      `mask ratio ${JSON.stringify(ratio)} is no range: give [smallest, largest], [0.75, 0.75] for one ratio`,
    );
  }
  const [min, max] = ratio;
  if (!(min >= 0 && min <= max && max <= 1)) {
    throw new CyclicMaskError(
      'ratio',
      `mask ratio [${min}, ${max}] is not a range within [0, 1]: give the smallest fraction first`,
    );
  }
  return linspaceF32(min, max, Math.floor(crops * probability) + 1);
}

function patchesOf(cells: number, ratio: number): number {
  return Math.floor(Math.fround(cells * Math.fround(ratio)));
}

/** Fisher-Yates from the end, in place. */
function shuffle(masks: Mask[], random: RandomSource): void {
  for (let last = masks.length - 1; last > 0; last--) {
    const chosen = random.integer(0, last);
    [masks[last], masks[chosen]] = [masks[chosen]!, masks[last]!];
  }
}
