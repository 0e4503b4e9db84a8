/**
 * The inputs of a step: their names and shapes, and how the random ones are drawn. Crops come from outside; which patches are masked and which samples each
 * residual branch runs on are pure functions of the seed and the number of the micro-step, so that nothing but that number is needed to resume.
 *
 *   globalCrops              [2b, 3, S, S]    view by view: all first views, then all second
 *   localCrops               [L b, 3, s, s]   crop by crop; absent without local crops
 *   masks                    [2b, N]          1 = masked
 *   maskIndices, masksWeight [U]              rows of the flattened [2b N] patches and their weights, padded
 *   kept.<block>.<branch>.<which>             samples that a branch runs on, for every block that drops any
 */
import { type CollatedMasks, collateMasks, padToBound, sampleBatch, seededRandom } from '@franca/cyclic-mask';
import { philox, type Spec, seedWords, type Tensor, toUniform } from '@franca/tensor';
import type { KeptSamples } from '@franca/vit';
import { GLOBAL_CROPS, type PretrainOptions } from './options';

const BRANCHES = ['attention', 'ffn'] as const;
const KINDS = ['global', 'local'] as const;
type Branch = (typeof BRANCHES)[number];
type Kind = (typeof KINDS)[number];

const keptName = (block: number, branch: Branch, kind: Kind): `kept.${string}` => `kept.${block}.${branch}.${kind}`;

/** One thing for every input of a step: its shape, its tensor, its values. */
// biome-ignore lint/style/useConsistentTypeDefinitions: only a type, not an interface, is assignable to a record of inputs
export type PerInput<T> = {
  readonly globalCrops: T;
  readonly localCrops?: T;
  readonly masks: T;
  readonly maskIndices: T;
  readonly masksWeight: T;
  readonly [kept: `kept.${string}`]: T;
};

/** Shapes of all inputs. */
export function inputSpecs(options: PretrainOptions): PerInput<Spec> {
  const { batch, crops, masks } = options;
  const globals = GLOBAL_CROPS * batch.perDevice;
  const locals = crops.local_crops_number * batch.perDevice;
  const kept = keptLists(options).map(({ name, kept }) => [name, u32(kept)] as const);
  return {
    globalCrops: f32(globals, 3, crops.global_crops_size, crops.global_crops_size),
    ...(locals > 0 ? { localCrops: f32(locals, 3, crops.local_crops_size, crops.local_crops_size) } : {}),
    masks: u32(globals, masks.grid[0] * masks.grid[1]),
    maskIndices: u32(masks.bound),
    masksWeight: f32(masks.bound),
    ...Object.fromEntries(kept),
  };
}

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
const u32 = (...shape: number[]): Spec => ({ shape, dtype: 'u32' });

/** A list of kept samples: its input, its random stream, and how many of how many samples it holds. */
interface KeptList {
  readonly name: `kept.${string}`;
  readonly stream: number;
  readonly kept: number;
  readonly count: number;
}

/** The lists of all blocks and branches that drop samples. */
function keptLists({ dropPathRates, kept, batch, crops }: PretrainOptions): KeptList[] {
  const counts = { global: GLOBAL_CROPS * batch.perDevice, local: crops.local_crops_number * batch.perDevice };
  const kinds = KINDS.filter((kind) => counts[kind] > 0);
  return dropPathRates.flatMap((rate, block) =>
    (rate === 0 ? [] : BRANCHES).flatMap((branch) =>
      kinds.map((kind) => ({
        name: keptName(block, branch, kind),
        stream: 4 * block + 2 * BRANCHES.indexOf(branch) + KINDS.indexOf(kind),
        kept: kept[block]![kind],
        count: counts[kind],
      })),
    ),
  );
}

/** Kept samples of every block as the backbone takes them; undefined for a block that drops none. */
export function keptTensors(inputs: PerInput<Tensor>, depth: number, kind: Kind): (KeptSamples | undefined)[] {
  return Array.from({ length: depth }, (_, block) => {
    const [attention, ffn] = BRANCHES.map((branch) => inputs[keptName(block, branch, kind)]);
    return attention && ffn && { attention, ffn };
  });
}

/** What is drawn for a micro-step. */
export interface DrawnInputs {
  readonly inputs: RandomInputs;
  /** Number of masked patches, a knob of the step; list entries past it are padding. */
  readonly nMasked: number;
}

/** The inputs that are not pictures, ready for `step.run`. */
export interface RandomInputs extends Pick<CollatedMasks, 'masks' | 'maskIndices' | 'masksWeight'> {
  readonly [kept: `kept.${string}`]: Uint32Array;
}

/** Masks and kept samples of micro-step `microStep` of a run, counted from 0 over all updates. */
export function drawInputs(options: PretrainOptions, microStep: number): DrawnInputs {
  const { nMasked, ...masks } = drawMasks(options, microStep);
  const kept = keptLists(options).map(
    ({ name, stream, kept, count }) => [name, drawKept([options.seed, microStep], stream, count, kept)] as const,
  );
  return { inputs: { ...masks, ...Object.fromEntries(kept) }, nMasked };
}

function drawMasks({ seed, batch, masks }: PretrainOptions, microStep: number): CollatedMasks {
  const [height, width] = masks.grid;
  const drawn = sampleBatch(
    {
      crops: GLOBAL_CROPS * batch.perDevice,
      grid: { height, width },
      strategy: masks.strategy,
      probability: masks.probability,
      ratio: masks.ratio,
    },
    seededRandom(seed, microStep),
  );
  return padToBound(collateMasks(drawn), masks.bound);
}

/** Keeps these words apart from those of initial values, which have the same seed. */
const KEPT_SALT = 0x9e3779b9;

/** The first `kept` of a random permutation of 0..count-1, in increasing order; another one for every seed, micro-step and stream. */
export function drawKept(
  [seed, microStep]: readonly [seed: number, microStep: number],
  stream: number,
  count: number,
  kept: number,
): Uint32Array {
  const [low, high] = seedWords(seed);
  const key = [low, (high ^ microStep ^ KEPT_SALT) >>> 0] as const;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < kept; i++) {
    const j = i + Math.floor(toUniform(philox([i >>> 2, stream, 0, 0], key)[i & 3]!) * (count - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.subarray(0, kept).sort();
}
