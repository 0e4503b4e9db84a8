/** Loaded before a program whose file 2 is read by ../franca.mjs: `process.stderr`, and so `console.error`, is file 3, where file 2 would be else. */
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty, WriteStream } from 'node:tty';
import { isMainThread } from 'node:worker_threads';

const FILE = 3;

/** Written at once, as `process.stderr` is: nothing is lost when the process ends. */
const plain = () =>
  Object.assign(
    new Writable({
      decodeStrings: true,
      write(bytes, _, done) {
        for (let at = 0; at < bytes.length; ) at += writeSync(FILE, bytes, at);
        done();
      },
    }),
    { fd: FILE },
  );

// a worker's own goes to the main thread
if (isMainThread) {
  const stderr = isatty(FILE) ? new WriteStream(FILE) : plain();
  Object.defineProperty(process, 'stderr', { configurable: true, enumerable: true, value: stderr });
}
