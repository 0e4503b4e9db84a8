/** How much of the machine others used meanwhile: a benchmark on a busy machine should say so. */
import { cpus } from 'node:os';

const busyMilliseconds = (): number =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);

/** Starts watching; the returned function says how many processors other processes kept busy since, on average. */
export function watchOtherLoad(): () => number {
  const [busy, own, began] = [busyMilliseconds(), process.cpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.cpuUsage(own);
    const others = busyMilliseconds() - busy - (user + system) / 1000;
    return Math.max(0, others / (performance.now() - began));
  };
}
