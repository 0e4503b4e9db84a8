/**
 * Threads that render pictures of the generated world, so that they are made beside whatever else a program does.
 *
 * What a thread cannot do is done by the caller with the same function: threads change when a picture is there, never its
 * pixels. Once one fails (a bundle without the thread's program, no memory) they are all given up, and an error in a scene
 * is met again where it can be thrown as what it is.
 */

import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { PixelImage } from '../images/image';
import { drawScene } from './draw-scene';
import { renderPicture } from './render-scene';

/** A picture to be made. */
export interface PictureOrder {
  /** What `drawScene` takes. */
  readonly scene: Parameters<typeof drawScene>;
  readonly size: number;
}

export interface RenderThreads {
  /** Renders a picture, in a thread where there is one. */
  render(order: PictureOrder): Promise<PixelImage>;
  /** Ends the threads; pictures under way are rendered by the caller, and the next one would start threads again. */
  close(): Promise<void>;
}

const MAX_THREADS = 8;

/** A thread, and who waits for its pictures, in their order. */
interface Thread {
  readonly worker: Worker;
  /** Told `undefined` when there will be no pixels. */
  readonly waiting: ((data: Uint8Array | undefined) => void)[];
}

export interface RenderThreadsOptions {
  /** Module that a thread runs. */
  readonly program?: URL;
  /** Pixels that are rendered without threads, since those take time to start. Default 2^20, about a third of a second of work. */
  readonly pixelsAlone?: number;
}

/** Starts no thread before there is enough to do. Threads keep the process alive only while a picture is awaited. */
export function createRenderThreads({
  program = PROGRAM,
  pixelsAlone = 2 ** 20,
}: RenderThreadsOptions = {}): RenderThreads {
  let pixels = 0;
  let threads: Thread[] = [];
  let failed = false;
  const close = async (): Promise<void> => {
    await Promise.all(threads.splice(0).map(({ worker }) => worker.terminate()));
  };
  const onError = (): void => {
    failed = true;
    void close();
  };
  return {
    async render({ scene, size }) {
      pixels += size ** 2;
      if (!failed && pixels > pixelsAlone) {
        if (threads.length === 0) threads = startThreads(program, onError);
        const data = await ask(leastBusy(threads), { scene, size });
        if (data) return { width: size, height: size, channels: 3, data };
      }
      return renderPicture(drawScene(...scene), size);
    },
    close,
  };
}

const EXTENSION = extname(import.meta.url);
const PROGRAM = new URL(`./render-program${EXTENSION}`, import.meta.url);

/** A thread of sources first needs what reads TypeScript. */
function startWorker(program: URL): Worker {
  if (extname(program.pathname) !== '.ts') return new Worker(program);
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const files = [loader, fileURLToPath(program)].map((file) => JSON.stringify(file));
  return new Worker(`require(${files[0]}).register(); require(${files[1]});`, { eval: true });
}

function startThreads(program: URL, onError: () => void): Thread[] {
  return Array.from({ length: Math.min(MAX_THREADS, availableParallelism()) }, () => {
    const worker = startWorker(program);
    const waiting: Thread['waiting'] = [];
    worker.on('message', (data: Uint8Array) => {
      waiting.shift()?.(data);
      if (waiting.length === 0) worker.unref();
    });
    worker.on('error', onError);
    worker.on('exit', () => {
      for (const tell of waiting.splice(0)) tell(undefined);
    });
    // last, since a listener for messages makes a worker keep the process alive
    worker.unref();
    return { worker, waiting };
  });
}

const leastBusy = (threads: readonly Thread[]): Thread =>
  threads.reduce((best, thread) => (thread.waiting.length < best.waiting.length ? thread : best));

function ask({ worker, waiting }: Thread, order: PictureOrder): Promise<Uint8Array | undefined> {
  worker.ref();
  worker.postMessage(order);
  return new Promise((resolve) => waiting.push(resolve));
}
