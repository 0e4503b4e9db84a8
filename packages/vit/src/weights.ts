/** Named weights of a checkpoint: where values come from, under flat block names. */

/** Values of a weight, by official name; asked for one at a time so that a checkpoint need not be in memory whole. */
export type WeightSource = (name: string) => ArrayLike<number> | undefined | Promise<ArrayLike<number> | undefined>;

/** `blocks.<chunk>.<index>.` as `blocks.<index>.`: the index is global, so that the chunk says nothing. */
export const flatBlockName = (name: string): string => name.replace(/^blocks\.\d+\.(\d+)\./, 'blocks.$1.');

/** A weight source over tensors in memory, whose block names may be chunked. */
export function weightsFrom(tensors: Readonly<Record<string, ArrayLike<number>>>): WeightSource {
  const flat = new Map(Object.entries(tensors).map(([name, values]) => [flatBlockName(name), values]));
  return (name) => flat.get(name);
}
