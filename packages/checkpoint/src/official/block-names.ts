/*
 * For sharded training the official code groups the transformer blocks into chunks and pads each chunk in front with
 * identities, so that the block index stays global: `blocks.{chunk}.{i}.norm1.weight`. Unchunked it is
 * `blocks.{i}.norm1.weight`. The numbers are the same; only the names differ.
 */

const CHUNKED = /(^|\.)blocks\.(\d+)\.(\d+)\./;
const FLAT = /(^|\.)blocks\.(\d+)\.(?!\d+\.)/;

/** `blocks.{chunk}.{i}.x` -> `blocks.{i}.x`, below any prefix; other names are returned as they are. */
export function flattenBlockName(name: string): string {
  return name.replace(CHUNKED, '$1blocks.$3.');
}

/**
 * `blocks.{i}.x` -> `blocks.{chunk}.{i}.x`, where a chunk has `floor(depth / chunks)` blocks, as in the official model;
 * other names, chunked ones among them, are returned as they are.
 */
export function chunkBlockName(name: string, depth: number, chunks: number): string {
  const perChunk = Math.floor(depth / chunks);
  return name.replace(FLAT, (_, before: string, block: string) => {
    return `${before}blocks.${Math.floor(Number(block) / perChunk)}.${block}.`;
  });
}

/** Chunk of a chunked block name, or undefined. */
export function chunkOf(name: string): number | undefined {
  const chunk = CHUNKED.exec(name)?.[2];
  return chunk === undefined ? undefined : Number(chunk);
}
