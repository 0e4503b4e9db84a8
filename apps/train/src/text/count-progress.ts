/** How far a count of images is: a live line on a terminal, a plain line now and then elsewhere. */
import { duration } from './amounts';

export interface CountProgress {
  /** `cached`: nothing had to be computed. What is all in the cache is passed over in silence. `detail`: what else the line ends with. */
  update(done: number, total: number, cached: boolean, detail?: string): void;
  end(): void;
}

const PLAIN_EVERY_SECONDS = 30;

/** What is counted: the word for several, and the short one of rates. */
export interface Counted {
  readonly items: string;
  readonly unit: string;
}

/** @param what names the work, such as `features of imagenette train` */
export function countProgress(
  what: string,
  { items, unit }: Counted = { items: 'images', unit: 'img' },
  stream: NodeJS.WriteStream = process.stderr,
): CountProgress {
  const began = performance.now();
  const live = stream.isTTY === true;
  let computed = 0;
  let before = 0;
  let spoken = began;
  const line = (done: number, total: number, detail: string): string => {
    const seconds = (performance.now() - began) / 1000;
    const rate = computed / seconds;
    return `${what}: ${done}/${total}  ${rate.toFixed(1)} ${unit}/s  ETA ${duration((total - done) / rate)}${detail && `  ${detail}`}`;
  };
  // the line may be that of another count, as of the features that pairs wait for
  const clear = (): void => {
    if (live) stream.write('\r\x1b[K');
  };
  return {
    update(done, total, cached, detail = '') {
      if (!cached) computed += done - before;
      before = done;
      if (computed === 0) return;
      const now = performance.now();
      if (live) {
        clear();
        stream.write(line(done, total, detail).slice(0, (stream.columns || 120) - 1));
      } else if (now - spoken > 1000 * PLAIN_EVERY_SECONDS) {
        spoken = now;
        stream.write(`${line(done, total, detail)}\n`);
      }
    },
    end() {
      clear();
      if (computed > 0)
        stream.write(`${what}: ${before} ${items} in ${duration((performance.now() - began) / 1000)}\n`);
    },
  };
}
