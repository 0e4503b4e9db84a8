/** How far a download is: a live line on a terminal, a plain line now and then elsewhere. */
import { type CountProgress, countProgress } from '../text/count-progress';

/** In MiB, for `onProgress` of a download. */
export function downloadProgress(
  what: string,
): { update(done: number, total?: number): void } & Pick<CountProgress, 'end'> {
  const { update, end } = countProgress(`fetching ${what}`, { items: 'MiB', unit: 'MiB' });
  const mebibytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  return { update: (done, total = done) => update(mebibytes(done), mebibytes(total), false), end };
}
