/**
 * The random part of a step's inputs: which crops are masked how, and which samples each residual branch runs on. Both are pure functions of the run's seed
 * and the step, so that nothing but the step number is needed to resume.
 */
import { collateMasks, maskStrategies, padToBound, sampleBatch, seededRandom } from '@franca/cyclic-mask';
import { randomStream } from '@franca/tensor';
import type { PretrainOptions } from '../config/pretrain-options';

export interface MaskInputs {
  /** [2b, N], 1 = masked. */
  readonly masks: Uint8Array;
  /** Rows of the flattened [2b N] patches, padded to U; weights [U], 0 for padding. */
  readonly maskIndices: Int32Array;
  readonly masksWeight: Float32Array;
  readonly nMasked: number;
}

/** Masks of one micro-batch. `stream` numbers the micro-batches of the run. */
export function drawMasks(
  { seed, batch, masks }: Pick<PretrainOptions, 'seed' | 'batch' | 'masks'>,
  stream: number,
): MaskInputs {
  const [height, width] = masks.grid;
  const drawn = sampleBatch(
    {
      crops: 2 * batch.perDevice,
      grid: { height, width },
      strategy: maskStrategies[masks.strategy],
      probability: masks.probability,
      ratio: masks.ratio,
    },
    seededRandom(seed, stream),
  );
  return padToBound(collateMasks(drawn), masks.bound);
}

/** The first `kept` of a random permutation of 0..count-1, in increasing order. */
export function drawKept(seed: number, stream: number, branch: number, count: number, kept: number): Uint32Array {
  const random = randomStream([seed >>> 0, (stream ^ 0x9e3779b9) >>> 0], branch);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < kept; i++) {
    const j = i + Math.floor(random.uniform() * (count - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.subarray(0, kept).sort();
}

/** Kept samples of every block and branch that drops any, by the names of the step's inputs. */
export function keptInputs(
  {
    seed,
    dropPathRates,
    kept,
    batch,
    crops,
  }: Pick<PretrainOptions, 'seed' | 'dropPathRates' | 'kept' | 'batch' | 'crops'>,
  stream: number,
): Record<string, Uint32Array> {
  const inputs: Record<string, Uint32Array> = {};
  const counts = { global: 2 * batch.perDevice, local: crops.local_crops_number * batch.perDevice };
  dropPathRates.forEach((rate, block) => {
    if (rate === 0) return;
    (['attention', 'ffn'] as const).forEach((branch, i) => {
      (['global', 'local'] as const).forEach((which, j) => {
        if (counts[which] > 0)
          inputs[`kept.${block}.${branch}.${which}`] = drawKept(
            seed,
            stream,
            4 * block + 2 * i + j,
            counts[which],
            kept[block]![which],
          );
      });
    });
  });
  return inputs;
}
