/** What an evaluation of videos writes besides records: masks, animations, and a line of JSON for each object. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import { sequenceStatistics } from '@franca/evals';
import sharp from 'sharp';
import { palettePng } from '../../image-sets/palette-png';
import type { FollowedSequence } from './follow-set';
import type { Followed } from './outcome';
import { drawnFrame } from './shown-sequences';

/** `<folder>/<sequence>/<frame>.png`, all frames, as DAVIS's and YouTube-VOS's own tools read results. */
export async function writeMasks(folder: string, { sequence, masks }: FollowedSequence): Promise<void> {
  await mkdir(join(folder, sequence.name), { recursive: true });
  for (const [frame, name] of sequence.frames.entries()) {
    const png = palettePng({ size: sequence.size, ids: masks.at(frame) });
    await writeFileAtomic(join(folder, sequence.name, `${name}.png`), (sink) => sink(png));
  }
}

const ANIMATED_WIDTH = 480;
/** Of a frame: 24 in a second, as DAVIS was filmed. */
const FRAME_MS = 42;

/** `<folder>/<sequence>.webp`: every frame with its objects. */
export async function writeAnimation(folder: string, followed: FollowedSequence): Promise<void> {
  const { sequence } = followed;
  await mkdir(folder, { recursive: true });
  const pictures: Uint8Array[] = [];
  let size = { width: 0, height: 0 };
  for (const frame of sequence.frames.keys()) {
    const { data, width, height } = await drawnFrame(followed, frame, ANIMATED_WIDTH);
    size = { width, height };
    pictures.push(data);
  }
  const { width, height } = size;
  const raw = { width, height: height * pictures.length, channels: 3, pageHeight: height } as const;
  const webp = await sharp(Buffer.concat(pictures), { raw })
    .webp({ quality: 70, effort: 3, loop: 0, delay: pictures.map(() => FRAME_MS) })
    .toBuffer();
  await writeFileAtomic(join(folder, `${sequence.name}.webp`), (sink) => sink(webp));
}

/** One line for each size and object, with J and F of every scored frame. @throws CheckpointError as `writeFileAtomic` */
export const writeItems = (path: string, followed: readonly Followed[]): Promise<unknown> =>
  writeFileAtomic(path, async (sink) => {
    for (const { setting, objects } of followed)
      for (const { sequence, object, frames, regions, boundaries } of objects) {
        const [J, F] = [sequenceStatistics(regions), sequenceStatistics(boundaries)];
        const { protocol, shortSide } = setting.look;
        const line = { sequence, object, protocol, shortSide, J, F, frames, regions, boundaries };
        await sink(Buffer.from(`${JSON.stringify(line)}\n`));
      }
  });
