/** A process that computes features of the generated world: prints how many images are done after each batch, and at the end how many it read itself. */

import { openSession } from '../src/features/session';
import type { Extraction } from '../src/features/shard-files';
import { openStored, type StoredRequest } from '../src/features/stored-features';
import { openImageSets } from '../src/image-sets/image-set';
import { centreCrop } from '../src/image-sets/preparation';

/** Two images of a shard in one batch. */
export const SMALL: Required<Pick<Extraction, 'batchSize' | 'shardBytes'>> = {
  batchSize: 2,
  shardBytes: 2 * 4 * 16 * 5,
};
export const REQUEST: StoredRequest = { preparation: centreCrop(16), blocks: 2, patchMean: true };
export const WORLD = 'world:length=20:size=16:classes=2';

/** So slow that there is a middle to be killed in. */
const BATCH_MS = 40;

async function main([weights, cache]: readonly string[]): Promise<void> {
  const { train, close } = await openImageSets(WORLD);
  await using session = await openSession({ weights: weights!, batchSize: SMALL.batchSize, cache: cache! });
  let reads = 0;
  const counted: typeof train = {
    ...train,
    read: (...args) => {
      reads++;
      return train.read(...args);
    },
  };
  const onProgress = (done: number): void => {
    console.log(`done ${done}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BATCH_MS);
  };
  await openStored({ ...session.extraction, ...SMALL, onProgress }, counted, REQUEST);
  await close();
  console.log(`read ${reads}`);
}

if (process.argv[1]?.endsWith('extract-features.ts')) await main(process.argv.slice(2));
