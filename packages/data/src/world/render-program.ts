/** What a render thread runs: scenes to draw come in, pixels go out, in that order. */

import { parentPort } from 'node:worker_threads';
import { drawScene } from './draw-scene';
import { renderPicture } from './render-scene';
import type { PictureOrder } from './render-threads';

parentPort?.on('message', ({ scene, size }: PictureOrder) => {
  const { data } = renderPicture(drawScene(...scene), size);
  parentPort?.postMessage(data, [data.buffer as ArrayBuffer]);
});
