/**
 * Objects followed through one sequence: each frame is seen by the model once, its tokens take the labels of the most similar ones of the first frame and
 * of the few before it, and are forgotten when they leave that context. The memory is that of the context, however long the video.
 */
import { prefetch } from '@franca/data';
import {
  decodeMaps,
  type EvalBackend,
  firstFrameMaps,
  type LabelPropagation,
  openLabelPropagation,
  type PatchFeatures,
} from '@franca/evals';
import { removePlanes } from '@franca/rasa';
import { TrainError } from '../../errors';
import { describeFrames, inputSize, prepareFrame } from '../../image-sets/frame-input';
import type { VideoSequence } from '../../image-sets/video-set';
import type { VideoSetting } from './settings';
import type { VideoPart } from './video-part';

/** Ids of objects by pixel, frame by frame from the first; where an object is given it has the given pixels. */
export async function* followSequence(
  { session, set, firstFrame }: VideoPart,
  backend: EvalBackend,
  sequence: VideoSequence,
  { look, propagation }: VideoSetting,
): AsyncGenerator<Uint8Array> {
  const objects = sequence.objects.map(({ id }) => id);
  const featuresOf = async (frame: number, signal: AbortSignal): Promise<PatchFeatures> => {
    if (session.origin) {
      const index = firstFrame(sequence) + frame;
      const own = await session.origin.whole(set, index, inputSize(sequence.size, look), describeFrames(look));
      if (own) return own;
      throw new TrainError('data', `${set.key(index)} of ${set.dataset} has no features in ${session.weights.file}`);
    }
    const input = prepareFrame(await sequence.read(frame, signal), look);
    const { dim, grid, patches } = await session.model.run(input, { patches: true });
    removePlanes(patches, dim, session.weights.rasa.planes);
    return { dim, grid, patches };
  };
  let labels: LabelPropagation | undefined;
  let frame = 0;
  try {
    // the device is at the next frame while masks of this one are made
    for await (const features of prefetch(sequence.frames.keys(), featuresOf, { inFlight: 1, ahead: 2 })) {
      const given = await givenMask(sequence, frame);
      const own = given && firstFrameMaps(given, sequence.size, features.grid, objects);
      if (labels === undefined) {
        labels = openLabelPropagation(backend, { features, maps: own! }, propagation);
        yield given!;
      } else {
        const followed = await labels.next(features);
        const maps = own ? labels.add(own) : followed;
        const ids = decodeMaps(maps, features.grid, {
          size: sequence.size,
          objects,
          patchSize: look.patchSize,
          upsampling: look.protocol === 'dino' ? 'bilinear' : 'nearest',
        });
        given?.forEach((id, pixel) => {
          if (id !== 0) ids[pixel] = id;
        });
        yield ids;
      }
      frame += 1;
    }
  } finally {
    labels?.[Symbol.dispose]();
  }
}

/** The objects that come in a frame, 0 elsewhere; undefined where none comes. */
async function givenMask({ objects, mask }: VideoSequence, frame: number): Promise<Uint8Array | undefined> {
  const coming = new Set(objects.filter(({ first }) => first === frame).map(({ id }) => id));
  if (coming.size === 0) return undefined;
  const { ids } = await mask(frame);
  return ids.map((id) => (coming.has(id) ? id : 0));
}
