/**
 * Which samples each residual branch runs on (stochastic depth), as inputs of the step: `kept.<block>.<branch>.<global or local>`, rows of the crops on this rank, for
 * every block that drops any. A group keeps a fixed number of its samples, drawn by philox from the seed, the micro-step, the branch and the group. Where a group lies on
 * several ranks, a rank's share of the kept ones varies: its list has the length of the most there can be, is filled up with samples that are not kept, and
 * `keptScale.<...>` beside it says what each is multiplied by: group over kept, or 0.
 */
import { philox, type Spec, seedWords, type Tensor, toUniform } from '@franca/tensor';
import type { KeptSamples } from '@franca/vit';
import { type GroupPart, groupParts, mostOnARank, rowOf, wholeGroups } from './groups';
import { GLOBAL_CROPS, type PretrainOptions } from './options';

const BRANCHES = ['attention', 'ffn'] as const;
const KINDS = ['global', 'local'] as const;
type Branch = (typeof BRANCHES)[number];
type Kind = (typeof KINDS)[number];
type List = `${number}.${Branch}.${Kind}`;

/** One thing for every list of kept samples, and for its scales where groups lie on several ranks. */
// biome-ignore lint/style/useConsistentTypeDefinitions: only a type, not an interface, is assignable to a record of inputs
export type PerKept<T, S = T> = { readonly [kept: `kept.${string}`]: T; readonly [scale: `keptScale.${string}`]: S };

/** A list of kept samples. */
interface KeptList {
  readonly name: List;
  /** Its random stream. */
  readonly stream: number;
  /** Crops of an image. */
  readonly crops: number;
  /** Samples that a group keeps. */
  readonly kept: number;
}

/** The lists of all blocks and branches that drop samples. */
function keptLists({ dropPathRates, kept, crops: { local_crops_number } }: PretrainOptions): KeptList[] {
  const crops = { global: GLOBAL_CROPS, local: local_crops_number };
  const kinds = KINDS.filter((kind) => crops[kind] > 0);
  return dropPathRates.flatMap((rate, block) =>
    (rate === 0 ? [] : BRANCHES).flatMap((branch) =>
      kinds.map((kind) => ({
        name: `${block}.${branch}.${kind}` as const,
        stream: 4 * block + 2 * BRANCHES.indexOf(branch) + KINDS.indexOf(kind),
        crops: crops[kind],
        kept: kept[block]![kind],
      })),
    ),
  );
}

/** Entries of a list on a rank. */
const lengthOf = ({ crops, kept }: KeptList, { batch, ranks }: PretrainOptions): number =>
  mostOnARank(batch, ranks.size, (images) => Math.min(crops * images, kept));

/** Shapes of the lists. */
export function keptSpecs(options: PretrainOptions): PerKept<Spec> {
  const specs = keptLists(options).flatMap((list) => {
    const shape = [lengthOf(list, options)];
    const scale = [`keptScale.${list.name}`, { shape, dtype: 'f32' }] as const;
    return [[`kept.${list.name}`, { shape, dtype: 'u32' }] as const, ...(wholeGroups(options.batch) ? [] : [scale])];
  });
  return Object.fromEntries(specs);
}

/** Kept samples of every block as the backbone takes them; undefined for a block that drops none. */
export function keptTensors(inputs: PerKept<Tensor>, depth: number, kind: Kind): (KeptSamples | undefined)[] {
  return Array.from({ length: depth }, (_, block) => {
    const [attention, ffn] = BRANCHES.map((branch) => inputs[`kept.${block}.${branch}.${kind}`]);
    const [ofAttention, ofFfn] = BRANCHES.map((branch) => inputs[`keptScale.${block}.${branch}.${kind}`]);
    const scales = ofAttention && ofFfn ? { scales: { attention: ofAttention, ffn: ofFfn } } : {};
    return attention && ffn && { attention, ffn, ...scales };
  });
}

/** The lists of this rank in a micro-step. */
export function drawKeptSamples(options: PretrainOptions, microStep: number): PerKept<Uint32Array, Float32Array> {
  const { batch, ranks, seed } = options;
  const parts = groupParts(batch, ranks.rank);
  const lists = keptLists(options).flatMap((list) => {
    const count = list.crops * batch.group;
    const keptOf = (part: GroupPart): number[] =>
      [...drawKept([seed, microStep], { ...list, group: part.group, count })].flatMap(
        (sample) => rowOf(sample, part, batch) ?? [],
      );
    const rows = Uint32Array.from(parts.flatMap(keptOf)).sort();
    if (wholeGroups(batch)) return [[`kept.${list.name}`, rows] as const];
    const length = lengthOf(list, options);
    const scales = new Float32Array(length).fill(count / list.kept, 0, rows.length);
    return [[`kept.${list.name}`, filledUp(rows, length)] as const, [`keptScale.${list.name}`, scales] as const];
  });
  return Object.fromEntries(lists);
}

/** The rows, and as many of the others as make `length`. */
function filledUp(rows: Uint32Array, length: number): Uint32Array {
  const kept = new Set(rows);
  const others = Array.from({ length }, (_, row) => row).filter((row) => !kept.has(row));
  return Uint32Array.from([...rows, ...others.slice(0, length - rows.length)]);
}

/** Keeps these words apart from those of initial values, which have the same seed. */
const KEPT_SALT = 0x9e3779b9;

/** What is drawn: `kept` of `count` samples, another draw for every stream and group. */
interface KeptDraw {
  readonly stream: number;
  readonly group: number;
  readonly count: number;
  readonly kept: number;
}

/** The first `kept` of a random permutation of 0..count-1, in increasing order; another one for every seed, micro-step, stream and group. */
export function drawKept(
  [seed, microStep]: readonly [seed: number, microStep: number],
  { stream, group, count, kept }: KeptDraw,
): Uint32Array {
  const [low, high] = seedWords(seed);
  const key = [low, (high ^ microStep ^ KEPT_SALT) >>> 0] as const;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < kept; i++) {
    const j = i + Math.floor(toUniform(philox([i >>> 2, stream, group, 0], key)[i & 3]!) * (count - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order.subarray(0, kept).sort();
}
