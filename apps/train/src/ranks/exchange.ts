/** What ranks tell each other beside gradients: a few numbers, texts, plain records. All ranks make the same calls in the same order. */
import type { Communicator } from '@franca/collective';

/** The ranks, as far as they exchange values. */
export type Exchanging = Pick<Communicator, 'rank' | 'size' | 'allGather' | 'broadcast'>;

/** The numbers of every rank, in the order of the ranks; all give as many. */
export async function gatherNumbers(ranks: Exchanging, own: readonly number[]): Promise<readonly number[][]> {
  const all = new Float64Array(ranks.size * own.length);
  await ranks.allGather(Float64Array.from(own), all);
  return Array.from({ length: ranks.size }, (_, rank) => [...all.subarray(rank * own.length, (rank + 1) * own.length)]);
}

/** The text of every rank, in the order of the ranks. */
export async function gatherTexts(ranks: Exchanging, own: string): Promise<string[]> {
  const bytes = new Uint8Array(Buffer.from(own));
  const lengths = (await gatherNumbers(ranks, [bytes.length])).map(([length]) => length!);
  const all = await gatherShares(ranks, bytes, lengths, 1);
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return Buffer.from(all.subarray(end - length, end)).toString();
  });
}

/** What every rank knows, as plain JSON; undefined stays. */
export async function gatherRecords<T>(ranks: Exchanging, own: T): Promise<T[]> {
  return (await gatherTexts(ranks, JSON.stringify({ own }))).map((text) => JSON.parse(text).own);
}

/** What rank 0 knows, as plain JSON, on all ranks; the others' `own` is not looked at. */
export async function fromFirst<T>(ranks: Exchanging, own: T): Promise<T> {
  if (ranks.size === 1) return own;
  const bytes = new Uint8Array(Buffer.from(JSON.stringify({ own })));
  const length = Float64Array.of(bytes.length);
  await ranks.broadcast(length);
  const text = ranks.rank === 0 ? bytes : new Uint8Array(length[0]!);
  await ranks.broadcast(text);
  return JSON.parse(Buffer.from(text).toString()).own;
}

/**
 * Rows that lie on the ranks in shares, one share after the other: [n, width].
 * @param own this rank's rows [counts[rank], width] @param counts rows of every rank
 */
export async function gatherShares<T extends Float32Array | Uint8Array>(
  ranks: Exchanging,
  own: T,
  counts: readonly number[],
  width: number,
): Promise<T> {
  if (ranks.size === 1) return own;
  const room = (rows: number): T => new (own.constructor as new (length: number) => T)(rows * width);
  // ranks send as much as each other: shares are filled up to the longest
  const most = Math.max(...counts);
  const filled = room(most);
  filled.set(own);
  const all = room(ranks.size * most);
  await ranks.allGather(filled, all);
  const rows = room(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  counts.forEach((count, rank) => {
    rows.set(all.subarray(rank * most * width, (rank * most + count) * width), at * width);
    at += count;
  });
  return rows;
}
