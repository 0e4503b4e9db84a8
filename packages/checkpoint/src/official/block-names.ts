/**
 * Names of transformer blocks in official checkpoints, chunked and flat. For sharded training the official code groups the
 * blocks into chunks of `floor(depth / chunks)` and pads each chunk in front with identities, so that the block index stays
 * global: `blocks.{chunk}.{i}.norm1.weight`, where unchunked it is `blocks.{i}.norm1.weight`. The numbers are the same; only
 * the names differ. Where the depth is no multiple of the chunks there is one chunk more: 7 blocks in 3 end with `blocks.3.6`.
 */ import { CheckpointError } from '../errors';

const CHUNKED = /(^|\.)blocks\.(\d+)\.(\d+)\./;
const FLAT = /(^|\.)blocks\.(\d+)\.(?!\d+\.)/;

/** `blocks.{chunk}.{i}.x` -> `blocks.{i}.x`, below any prefix; other names are returned as they are. */
export function flattenBlockName(name: string): string {
  return name.replace(CHUNKED, '$1blocks.$3.');
}

/**
 * `blocks.{i}.x` -> `blocks.{chunk}.{i}.x` for `depth` blocks; other names, chunked ones among them, are returned as they are.
 * @throws CheckpointError `argument` for more chunks than blocks
 */
export function chunkBlockName(name: string, depth: number, chunks: number): string {
  const perChunk = Math.floor(depth / chunks);
  if (!(chunks >= 1 && perChunk >= 1))
    throw new CheckpointError('argument', `${depth} blocks do not make ${chunks} chunks`);
  return name.replace(FLAT, (_, before: string, block: string) => {
    return `${before}blocks.${Math.floor(Number(block) / perChunk)}.${block}.`;
  });
}

/** Chunk of a chunked block name, or undefined. */
export function chunkOf(name: string): number | undefined {
  const chunk = CHUNKED.exec(name)?.[2];
  return chunk === undefined ? undefined : Number(chunk);
}
