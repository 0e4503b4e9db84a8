/**
 * Videos of the generated world: moving scenes with exact truth for every frame. Masks whose ids stay with their toys, depth, boxes, and
 * key points followed through all frames, seen or hidden.
 *
 * Every frame is a scene like any other, rendered by the same code: a pure function of seed, split, index and frame, so that a longer
 * video begins with the shorter one. Train and validation never share a scene, nor do videos and pictures.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkOptions } from '../errors';
import { type GeneratedWorldOptions, inRange, worldScenes } from './generated-scenes';
import { GRADES, gradeText, RENDERING } from './grades';
import { moved } from './motion';
import { drawMovingScene } from './moving-scene';
import { keypointsOf, type RenderedScene, renderScene } from './render-scene';
import type { Scene } from './scene';
import { createTracer } from './tracer';

export interface GeneratedVideosOptions extends GeneratedWorldOptions {
  /** Videos. Default 30. */
  length?: number;
  /** Frames of each video, from 2 to 10,000; they come back to where they began after 48. Default 24. */
  frames?: number;
}

export interface GeneratedVideos {
  /** Videos. */
  readonly length: number;
  readonly classes: readonly string[];
  /** Draws the scene of a video; no frame is rendered before it is asked for. */
  video(index: number): GeneratedVideo;
}

export interface GeneratedVideo {
  /** Frames. */
  readonly frames: number;
  /** The two or three toys, all seen at frame 0, in the order of their instances. */
  readonly objects: readonly { readonly class: number; readonly instance: number }[];
  /** The scene of a frame as plain data, to be looked into or changed and given to `renderScene`. */
  scene(frame: number): Scene;
  /** A frame with everything that is known about it; a toy has the same `instance` in all frames, those in which it is hidden included. */
  sample(frame: number): RenderedScene;
  /** Tells the content of a frame's picture, see `ImageSource.version`. */
  version(frame: number): string;
  /** All key points of all toys through all frames; nothing is rendered for it. */
  tracks(): GeneratedTracks;
}

/** Key points through the frames of a video. */
export interface GeneratedTracks {
  /** What each track follows: which key point of which toy. */
  readonly points: readonly { readonly instance: number; readonly name: string }[];
  /** `[tracks, frames, 2]`: x and y in pixels as in a `Keypoint`, of hidden points too. */
  readonly positions: Float64Array;
  /** `[tracks, frames]`: distance along the optical axis in toy heights. */
  readonly depths: Float64Array;
  /** `[tracks, frames]`: 1 where the point is inside the picture with nothing in front, else 0. */
  readonly visible: Uint8Array;
}

/** Another one whenever a scene moves otherwise, so that no older features are taken for its frames. */
const MOTION = 1;

const OPTIONS: OptionKinds<GeneratedVideosOptions> = {
  grade: GRADES,
  length: 'number',
  classes: 'number',
  size: 'number',
  seed: 'number',
  split: ['train', 'val'],
  frames: 'number',
};

/**
 * Opens the videos of a generated world; needs neither files nor threads, so that it runs in a browser too.
 * @throws DataError `argument` when an option is outside its range, `options` for one that there is not
 */
export function generatedVideos(options: GeneratedVideosOptions = {}): GeneratedVideos {
  checkOptions('generatedVideos', options, OPTIONS);
  const { frames = 24, length = 30, ...others } = options;
  inRange('frames', frames, 2, 10_000);
  const world = worldScenes({ ...others, length });
  const { grade, classes, seed, size } = world.options;
  return {
    length,
    classes: world.classes,
    video(index) {
      const { start, motion } = drawMovingScene(...world.drawing(index));
      const scene = (frame: number): Scene => {
        inRange('frame', frame, 0, frames - 1);
        return moved(start, motion, frame);
      };
      return {
        frames,
        objects: start.objects.map((object, at) => ({ class: object.class, instance: at + 1 })),
        scene,
        version: (frame) =>
          `${gradeText(grade)}world ${RENDERING[grade]}, motion ${MOTION}: frame ${frame} of video ${world.position(index)} of ${classes} classes, seed ${seed}, ${size} px`,
        sample: (frame) => renderScene(scene(frame), size),
        tracks: () =>
          tracksOf(
            Array.from({ length: frames }, (_, frame) => scene(frame)),
            size,
          ),
      };
    },
  };
}

function tracksOf(scenes: readonly Scene[], size: number): GeneratedTracks {
  const frames = scenes.map((scene) => {
    const tracer = createTracer(scene);
    return scene.objects.map((_, index) => keypointsOf(scene, tracer, index, size));
  });
  const points = frames[0]!.flatMap((objects, at) => objects.map(({ name }) => ({ instance: at + 1, name })));
  const positions = new Float64Array(points.length * frames.length * 2);
  const depths = new Float64Array(points.length * frames.length);
  const visible = new Uint8Array(points.length * frames.length);
  for (const [frame, objects] of frames.entries()) {
    for (const [track, point] of objects.flat().entries()) {
      const at = track * frames.length + frame;
      positions.set([point.x, point.y], 2 * at);
      depths[at] = point.depth;
      visible[at] = point.visible ? 1 : 0;
    }
  }
  return { points, positions, depths, visible };
}
