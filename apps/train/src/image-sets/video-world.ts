/** Videos of the generated world: toys that slide, turn and pass in front of each other, whose masks are exact in every frame. */
import { type GeneratedVideo, generatedVideos, recogniseSource, worldOptions } from '@franca/data';
import { type ChosenSequences, chooseSequences, usedNote } from './video-listed';
import type { VideoSequence, VideoSet } from './video-set';
import { WORLD_SIDE } from './world-images';

/** Of a world that does not say how many pictures it has; of a larger one no more videos. */
const VIDEOS = 30;

/**
 * Opens those of its validation part; scored like DAVIS.
 * @param side of the pictures, where the world does not say
 * @throws TrainError `usage` where a sequence that is asked for does not exist
 */
export async function worldVideos(
  spec: string,
  dataset: string,
  { side = WORLD_SIDE, sequences: chosen }: { readonly side?: number; readonly sequences?: ChosenSequences } = {},
): Promise<VideoSet> {
  const { target } = await recogniseSource(spec);
  const { size = side, length = VIDEOS, ...options } = worldOptions(target, 'val');
  const videos = generatedVideos({ ...options, size, length: Math.min(length, VIDEOS) });
  const named = Array.from({ length: videos.length }, (_, index) => ({ name: `val-${index}`, index }));
  const meant = chooseSequences(named, chosen, `${spec} val`);
  const masks = keptMasks();
  return {
    dataset,
    split: 'val',
    sequences: meant.map(({ name, index }) => sequenceOf(name, videos.video(index), size, masks)),
    scoring: 'davis-2017',
    total: videos.length,
    shortSide: squareSide(size),
    notes: usedNote(meant.length, videos.length, `${spec} val`),
  };
}

/** DINO cuts the long side, from 64 px on, down to a multiple of that: here it must not be another one than the short side. */
const squareSide = (size: number): number => (size < 64 ? size : Math.ceil(size / 64) * 64);

/** The masks of the frames that were drawn of one sequence, the last: they come with its pictures. */
function keptMasks() {
  let of: GeneratedVideo | undefined;
  let kept = new Map<number, Uint8Array>();
  return {
    get: (video: GeneratedVideo, frame: number): Uint8Array | undefined => (of === video ? kept.get(frame) : undefined),
    set(video: GeneratedVideo, frame: number, ids: Uint8Array): void {
      if (of !== video) kept = new Map();
      of = video;
      kept.set(frame, ids);
    },
  };
}

function sequenceOf(
  name: string,
  video: GeneratedVideo,
  size: number,
  masks: ReturnType<typeof keptMasks>,
): VideoSequence {
  const drawn = (frame: number) => {
    const sample = video.sample(frame);
    masks.set(video, frame, sample.instance);
    return sample;
  };
  return {
    name,
    frames: Array.from({ length: video.frames }, (_, frame) => `${frame}`.padStart(5, '0')),
    size: [size, size],
    objects: video.objects.map(({ instance }) => ({ id: instance, first: 0 })),
    hasMask: () => true,
    read: async (frame) => drawn(frame).image,
    mask: async (frame) => ({ size: [size, size], ids: masks.get(video, frame) ?? drawn(frame).instance }),
    version: (frame) => video.version(frame),
  };
}
