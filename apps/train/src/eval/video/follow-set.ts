/**
 * The sequences of a set, one after the other. What is found in a sequence is kept in the cache: an evaluation that was stopped goes on with the next one.
 */
import { createHash } from 'node:crypto';
import type { EvalBackend } from '@franca/evals';
import { keyOfSet } from '../../features/shard-files';
import { describeFrames, inputSize } from '../../image-sets/frame-input';
import type { VideoSequence } from '../../image-sets/video-set';
import { countProgress } from '../../text/count-progress';
import { planesText } from '../planes-text';
import { followSequence } from './follow-sequence';
import { arraysOf, masksOf, type PackedMasks, packMask } from './packed-masks';
import type { VideoSetting } from './settings';
import type { VideoPart } from './video-part';

/** To be raised whenever the same features and settings give other masks than before, so that no older ones are taken for them. */
const FOLLOWING = 1;

export interface FollowedSequence {
  readonly sequence: VideoSequence;
  /** One for each frame. */
  readonly masks: PackedMasks;
  /** Rows and columns of tokens. */
  readonly grid: readonly [rows: number, columns: number];
  /** For all frames; undefined where they come from the cache. */
  readonly seconds: number | undefined;
}

/** In the order of the set. @throws TrainError `data` where a frame or a mask cannot be read */
export async function* followSet(
  part: VideoPart,
  backend: EvalBackend,
  setting: VideoSetting,
): AsyncGenerator<FollowedSequence> {
  const { videos, set, session, firstFrame } = part;
  const { look } = setting;
  const { cache, versions } = session.extraction;
  const name = `objects in ${videos.dataset} ${videos.split} at ${look.shortSide} px`;
  const progress = countProgress(name, { items: 'frames', unit: 'frames' });
  for (const sequence of videos.sequences) {
    const first = firstFrame(sequence);
    const end = first + sequence.frames.length;
    const common = await keyOfSet(session.extraction, set);
    const key = {
      ...common,
      preprocessing: describeFrames(look),
      data: `${await versions(set, first, end)}, ${await givenText(sequence)}`,
      code: `${common.code}, ${backend.name}, following ${FOLLOWING}`,
      outputs: `objects by ${JSON.stringify(setting.propagation)}${planesText(session)}`,
      items: [first, end],
    };
    const began = performance.now();
    const { arrays, cached } = await cache.readOrCompute(key, async () => {
      const packed: Buffer[] = [];
      for await (const ids of followSequence(part, backend, sequence, setting)) {
        packed.push(packMask(ids));
        progress.update(first + packed.length, set.length, false);
      }
      return arraysOf(packed);
    });
    if (cached) progress.update(end, set.length, true);
    const [rows, columns] = inputSize(sequence.size, look);
    yield {
      sequence,
      masks: masksOf(arrays, sequence.size[0] * sequence.size[1]),
      grid: [rows / look.patchSize, columns / look.patchSize],
      seconds: cached ? undefined : (performance.now() - began) / 1000,
    };
  }
  progress.end();
}

/** Which objects are given where: masks are corrected while pictures stay as they are. */
async function givenText({ objects, mask, size }: VideoSequence): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([objects, size]));
  for (const frame of new Set(objects.map((object) => object.first))) hash.update((await mask(frame)).ids);
  return `objects ${hash.digest('hex')}`;
}
