/** How far the compilation of kernels by a driver is: a live line on a terminal, a plain line now and then elsewhere. */
import { duration } from './amounts';

/** Long enough that a driver which finds all of them in its cache is not mentioned. */
const QUIET_SECONDS = 2;
const PLAIN_EVERY_SECONDS = 10;

export interface KernelProgress {
  /** For `onProgress` of kernels that are compiled one by one. */
  readonly onProgress: (done: number, total: number) => void;
  /** Clears the live line, also where the work was ended. */
  end(): void;
}

export function kernelProgress(stream: NodeJS.WriteStream = process.stderr): KernelProgress {
  const live = stream.isTTY === true;
  const began = performance.now() / 1000;
  let due = began + QUIET_SECONDS;
  let shown = false;
  const end = (): void => {
    if (shown) stream.write('\r\x1b[K');
    shown = false;
  };
  const onProgress = (done: number, total: number): void => {
    const now = performance.now() / 1000;
    const seconds = now - began;
    if (live) end();
    if (done === total) {
      if (seconds >= QUIET_SECONDS) stream.write(`${total} kernels prepared in ${duration(seconds)}\n`);
      return;
    }
    const left = done > 0 ? duration((seconds / done) * (total - done)) : '--';
    const line = `preparing kernels ${done}/${total}, ETA ${left}`;
    if (live) {
      stream.write(line);
      shown = true;
    } else if (now >= due) {
      due = now + PLAIN_EVERY_SECONDS;
      stream.write(`${line}\n`);
    }
  };
  return { onProgress, end };
}
