/** How long an image takes to become features: some real ones of a set are read, decoded and run, and nothing of them is kept. */
import { extractFresh } from '../../features/extract';
import { createLeftOutImages } from '../../features/left-out-images';
import type { FeatureSession } from '../../features/session';
import type { FeatureReading } from './task-cost';
import { addTimes, NO_TIME, startWatch, type TimeTaken, timesOf } from './time-taken';

/** Batches that are timed, as many as take so many seconds. */
const BATCHES = [2, 16] as const;
const ENOUGH = 3;

/** Of one image. */
export async function measureReading(session: FeatureSession, reading: FeatureReading): Promise<TimeTaken> {
  if (reading.set.length === 0) return NO_TIME;
  // kernels compile in the first batch
  const [first] = await timesOfBatches(session, reading, 1);
  const count = Math.min(Math.max(Math.ceil(ENOUGH / first!.seconds), BATCHES[0]), BATCHES[1]);
  const times = await timesOfBatches(session, reading, count);
  // the first of them waits for its pictures, which the others find read
  const others = addTimes(times.at(-1)!, times[0]!, -1);
  return timesOf(others, 1 / ((times.length - 1) * session.extraction.batchSize));
}

/** When each batch was done. */
async function timesOfBatches(
  session: FeatureSession,
  { set, request }: FeatureReading,
  count: number,
): Promise<TimeTaken[]> {
  const { batchSize } = session.extraction;
  // all over the set, whose pictures may lie by size; those of a small one several times
  const length = count * batchSize;
  const images = Array.from({ length }, (_, i) => Math.floor(((i + 0.5) * set.length) / length));
  const times: TimeTaken[] = [];
  const watch = startWatch();
  const extraction = {
    ...session.extraction,
    leftOut: createLeftOutImages(1),
    onProgress: () => void times.push(watch()),
  };
  for await (const _ of extractFresh(extraction, set, { ...request, images, perShard: length })) void _;
  return times;
}
