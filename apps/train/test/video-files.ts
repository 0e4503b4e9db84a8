/** Tiny videos in the layouts that real ones come in: a bright square that moves to the right, with its masks. */

import sharp from 'sharp';
import { maskPng, type PngForm } from './mask-files';

/** Columns and rows of a frame. */
export const WIDTH = 40;
export const HEIGHT = 32;
const PALETTE: PngForm = { colour: 3, depth: 8 };

/** Ids by pixel: object `id` is a square of 12 that has moved `step` pixels a frame. */
export const movingIds = (frame: number, ids: readonly number[], step = 2): number[] =>
  Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => {
    const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
    const at = ids.findIndex(
      (_id, i) => x >= 3 + 15 * i + step * frame && x < 15 + 15 * i + step * frame && y >= 8 && y < 20,
    );
    return at < 0 ? 0 : ids[at]!;
  });

export const framePicture = (frame: number, ids: readonly number[] = [1]): Promise<Buffer> => {
  const values = movingIds(frame, ids);
  const rgb = Uint8Array.from(
    values.flatMap((id, i) => [id > 0 ? 200 : 30 + (i % 17), id > 1 ? 220 : 60, 40 + (i % 5)]),
  );
  return sharp(rgb, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
};

export const frameMask = (frame: number, ids: readonly number[] = [1], form: PngForm = PALETTE): Buffer =>
  maskPng(movingIds(frame, ids), WIDTH, form);

export const frameName = (frame: number, step = 1): string => `${frame * step}`.padStart(5, '0');

/** A DAVIS of these sequences, so many frames each, all with masks. */
export async function davisFiles(
  sequences: Readonly<Record<string, readonly number[]>>,
  frames = 5,
  resolution = '480p',
): Promise<Record<string, string | Buffer>> {
  const files: Record<string, string | Buffer> = {
    'ImageSets/2017/val.txt': `${Object.keys(sequences).join('\n')}\n`,
  };
  for (const [name, ids] of Object.entries(sequences))
    for (let frame = 0; frame < frames; frame++) {
      files[`JPEGImages/${resolution}/${name}/${frameName(frame)}.jpg`] = await framePicture(frame, ids);
      files[`Annotations/${resolution}/${name}/${frameName(frame)}.png`] = frameMask(frame, ids);
    }
  return files;
}
