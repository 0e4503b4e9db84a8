/** How far the opening of many tar shards is, in lines now and then: the first time each is read through, which takes hours for a large set. */
import { duration } from './amounts';

const EVERY_MS = 10_000;

/** What `openSplits` calls as shards are opened. Nothing is said of what takes less than ten seconds. */
export function indexProgress(
  say: (text: string) => void,
  now: () => number = () => performance.now(),
): (done: number, total: number, cached: boolean) => void {
  const began = now();
  let spoken = began;
  let made = 0;
  let firstMade = began;
  return (done, total, cached) => {
    const time = now();
    if (!cached && made++ === 0) firstMade = time;
    const isLast = done === total && spoken > began;
    if (!isLast && time - spoken < EVERY_MS) return;
    spoken = time;
    const [count, since] = made > 1 ? [made - 1, firstMade] : [done, began];
    const rate = (1000 * count) / Math.max(1, time - since);
    const left = isLast ? '' : `, ${rate.toFixed(1)} shards/s, ETA ${duration((total - done) / rate)}`;
    const kept = made > 0 ? `; ${made} read through, whose indices are kept: who stops now goes on from there` : '';
    say(`tar shards: ${done}/${total}${left}${isLast ? '' : kept}`);
  };
}
