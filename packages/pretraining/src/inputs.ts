/**
 * The inputs of a step: their names and shapes, and how the random ones are drawn. Crops come from outside; which patches are masked and which samples each
 * residual branch runs on are pure functions of the seed, the number of the micro-step and the group of images, so that nothing but that number is needed to resume.
 * All are of the b images of this rank.
 *
 *   globalCrops              [2b, 3, S, S]    view by view: all first views, then all second
 *   localCrops               [L b, 3, s, s]   crop by crop; absent without local crops
 *   masks                    [2b, N]          1 = masked; all 0 with distillation
 *   maskIndices, masksWeight [U]              rows of the flattened [2b N] patches that are compared, and their weights, padded
 *   kept.<block>.<branch>.<which>             samples that a branch runs on, for every block that drops any
 *   keptScale.<block>.<branch>.<which>        what they are multiplied by, where groups lie on several ranks
 */
import {
  type CollatedMasks,
  collateMasks,
  type Mask,
  padToBound,
  sampleBatch,
  seededRandom,
} from '@franca/cyclic-mask';
import type { Spec } from '@franca/tensor';
import { groupParts, rowOf } from './groups';
import { drawKeptSamples, keptSpecs, type PerKept } from './kept-samples';
import { GLOBAL_CROPS, type PretrainOptions } from './options';

/** One thing for every input of a step: its shape, its tensor, its values. */
export type PerInput<T> = PerKept<T> & {
  readonly globalCrops: T;
  readonly localCrops?: T;
  readonly masks: T;
  readonly maskIndices: T;
  readonly masksWeight: T;
};

/** Shapes of all inputs. */
export function inputSpecs(options: PretrainOptions): PerInput<Spec> {
  const { batch, crops, masks } = options;
  const globals = GLOBAL_CROPS * batch.perDevice;
  const locals = crops.local_crops_number * batch.perDevice;
  return {
    globalCrops: f32(globals, 3, crops.global_crops_size, crops.global_crops_size),
    ...(locals > 0 ? { localCrops: f32(locals, 3, crops.local_crops_size, crops.local_crops_size) } : {}),
    masks: u32(globals, masks.grid[0] * masks.grid[1]),
    maskIndices: u32(masks.bound),
    masksWeight: f32(masks.bound),
    ...keptSpecs(options),
  };
}

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
const u32 = (...shape: number[]): Spec => ({ shape, dtype: 'u32' });

/** What is drawn for a micro-step. */
export interface DrawnInputs {
  readonly inputs: RandomInputs;
  /** Number of masked patches on this rank, a knob of the step; list entries past it are padding. */
  readonly nMasked: number;
}

/** The inputs that are not pictures, ready for `step.run`. */
export interface RandomInputs
  extends Pick<CollatedMasks, 'masks' | 'maskIndices' | 'masksWeight'>,
    PerKept<Uint32Array, Float32Array> {}

/** Masks and kept samples of this rank in micro-step `microStep` of a run, counted from 0 over all updates. */
export function drawInputs(options: PretrainOptions, microStep: number): DrawnInputs {
  const { nMasked, ...masks } = drawMasks(options, microStep);
  return { inputs: { ...masks, ...drawKeptSamples(options, microStep) }, nMasked };
}

/** Masks are stratified among the crops of a group, and those of this rank's images collated. */
function drawMasks({ seed, batch, ranks, masks, distillation }: PretrainOptions, microStep: number): CollatedMasks {
  const [height, width] = masks.grid;
  const own: Mask[] = [];
  for (const part of groupParts(batch, ranks.rank)) {
    const drawn = sampleBatch(
      {
        crops: GLOBAL_CROPS * batch.group,
        grid: { height, width },
        strategy: masks.strategy,
        probability: masks.probability,
        ratio: masks.ratio,
      },
      seededRandom(seedOf(seed, part.group), microStep),
    );
    drawn.forEach((mask, crop) => {
      const row = rowOf(crop, part, batch);
      if (row !== undefined) own[row] = mask;
    });
  }
  const drawn = padToBound(collateMasks(own), masks.bound);
  // a distilled student sees all that its teacher sees; the places are where patches are compared
  return distillation ? { ...drawn, masks: new Uint8Array(drawn.masks.length) } : drawn;
}

const WORD = 2 ** 32;

/** The seed of a group's masks: its number added to the upper of the two words, of 32 and 21 bits. */
const seedOf = (seed: number, group: number): number =>
  (seed % WORD) + WORD * ((Math.floor(seed / WORD) + group) % 2 ** 21);
