/** Videos, and the model that objects are to be followed with. */
import type { FeatureSession } from '../../features/session';
import type { ImageSet } from '../../image-sets/image-set';
import type { VideoSequence, VideoSet } from '../../image-sets/video-set';
import type { Part } from '../part';

export interface VideoPart extends Part {
  readonly videos: VideoSet;
  readonly session: FeatureSession;
  /** Place of the first frame of one of the sequences in `set`. */
  firstFrame(sequence: VideoSequence): number;
}

export function videoPart(session: FeatureSession, videos: VideoSet): VideoPart {
  const starts = new Map<VideoSequence, number>();
  let frames = 0;
  for (const sequence of videos.sequences) {
    starts.set(sequence, frames);
    frames += sequence.frames.length;
  }
  return {
    videos,
    session,
    set: framesOf(videos),
    firstFrame: (sequence) => starts.get(sequence)!,
    preprocessing: 'whole frames',
    size: 'the grid of each sequence',
  };
}

/** All frames of all sequences, one sequence after the other. */
function framesOf({ dataset, split, notes, sequences }: VideoSet): ImageSet {
  const places = sequences.flatMap((sequence) => sequence.frames.map((name, frame) => ({ sequence, name, frame })));
  return {
    dataset,
    split,
    notes,
    total: places.length,
    length: places.length,
    classes: [],
    ignore: undefined,
    key: (index) => `${places[index]!.sequence.name}/${places[index]!.name}`,
    label: () => -1,
    read: (index, signal) => places[index]!.sequence.read(places[index]!.frame, signal),
    version: (index) => places[index]!.sequence.version(places[index]!.frame),
  };
}
