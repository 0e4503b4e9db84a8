/**
 * Pairs of pictures of the generated world with the key points that are seen in both: exact truth for semantic correspondence.
 *
 * The subjects of a pair are two specimens of one class: the same toy in the same texture, of other colours, size and pose, in
 * other surroundings. A point counts where it is visible in both pictures and can be told from its like in both (`toldBy` in
 * `toys.ts`: from behind, nobody knows which fin of a rocket is the left one).
 *
 * `viewpoint` is how far one would walk around the toy from one view to the other: the difference of the two azimuths from which
 * the cameras look at it, each measured from the side that it faces.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkCount, checkOptions } from '../errors';
import { createRandom, permutation } from '../random';
import type { GeneratedScenes } from './generated-scenes';
import type { Keypoint } from './render-scene';
import { TOYS } from './toys';

/** A pair of pictures; positions in pixels as in a `Keypoint`: the centre of the first pixel is (0.5, 0.5). */
export interface GeneratedPair {
  /** Class of both subjects, a position in the world's `classes`. */
  category: number;
  /** How far apart the two views of the toy are: 0 below 30 degrees, 1 below 75, 2 from there. */
  viewpoint: 0 | 1 | 2;
  /** The same in degrees, from 0 to 180. */
  turn: number;
  /** Indices of the two pictures. */
  source: number;
  target: number;
  /** Points of the toy that are seen in both pictures. */
  points: { name: string; source: [x: number, y: number]; target: [x: number, y: number] }[];
  /** Bounding box of the subject's visible pixels in the target; `x1` and `y1` are exclusive. */
  targetBox: [x0: number, y0: number, x1: number, y1: number];
}

export interface GeneratedPairsOptions {
  /** Most pairs of one class and viewpoint. Default 200. */
  pairs?: number;
  /** Pictures that are looked at, each once: the first of the world. Default 400, or all where it has fewer. */
  pictures?: number;
  /** Points that a pair must have at least. Default 3. */
  points?: number;
  /** Draws which pairs, and in which direction. Default 0. */
  seed?: number;
}

const OPTIONS: OptionKinds<GeneratedPairsOptions> = {
  pairs: 'number',
  pictures: 'number',
  points: 'number',
  seed: 'number',
};

/** Degrees from which a pair has viewpoint 1 and 2. */
const TURNS = [30, 75] as const;

/** What a picture shows of its subject. */
interface Subject {
  readonly index: number;
  /** Azimuth of the camera around the toy in degrees: 0 looks it in the face, 90 at its left side. */
  readonly azimuth: number;
  readonly points: ReadonlyMap<string, Keypoint>;
  readonly box: GeneratedPair['targetBox'];
}

/**
 * Draws pairs of one world: of each class and viewpoint the same number as far as there are so many, ordered by class, viewpoint
 * and draw. The same arguments give the same pairs on any machine.
 * @throws DataError `argument` or `options` for what cannot be drawn
 */
export function generatedPairs(scenes: GeneratedScenes, options: GeneratedPairsOptions = {}): GeneratedPair[] {
  checkArgument('generatedPairs', 'scenes', scenes, 'object');
  checkArgument('generatedPairs', 'scenes.classes', scenes.classes, 'list');
  checkArgument('generatedPairs', 'scenes.sample', scenes.sample, 'function');
  checkOptions('generatedPairs', options, OPTIONS);
  const { pairs = 200, pictures = 400, points = 3, seed = 0 } = options;
  checkCount('generatedPairs', 'pairs', pairs, 1);
  checkCount('generatedPairs', 'pictures', pictures, 2);
  checkCount('generatedPairs', 'points', points, 1);
  const subjects: Subject[][] = scenes.classes.map(() => []);
  for (let index = 0; index < Math.min(pictures, scenes.length); index++) {
    const subject = subjectOf(scenes, index);
    if (subject.points.size >= points) subjects[scenes.label(index)]!.push(subject);
  }
  return subjects.flatMap((specimens, category) => {
    const random = createRandom({ seed, position: category, stream: 0 });
    const drawn: GeneratedPair[][] = [[], [], []];
    for (const [first, second] of shuffledPairs(specimens, random)) {
      const pair = pairOf(category, first, second);
      if (pair.points.length >= points && drawn[pair.viewpoint]!.length < pairs) drawn[pair.viewpoint]!.push(pair);
    }
    return drawn.flat();
  });
}

function subjectOf(scenes: GeneratedScenes, index: number): Subject {
  const scene = scenes.scene(index);
  const { x, z, yaw, toy } = scene.objects[0]!;
  const [eyeX, , eyeZ] = scene.camera.eye;
  const { box, keypoints } = scenes.sample(index).objects[0]!;
  const visible = new Map(keypoints.filter((point) => point.visible).map((point) => [point.name, point]));
  const { toldBy = {} } = TOYS[toy]!;
  const points = [...visible].filter(([name]) => toldBy[name]?.some((other) => visible.has(other)) ?? true);
  return {
    index,
    azimuth: ((Math.atan2(eyeX - x, eyeZ - z) - yaw) * 180) / Math.PI,
    points: new Map(points),
    box: [box.x0, box.y0, box.x1, box.y1],
  };
}

/** Every two specimens once, in random order and in a random direction. */
function shuffledPairs(specimens: readonly Subject[], random: ReturnType<typeof createRandom>): [Subject, Subject][] {
  const all = specimens.flatMap((first, at) => specimens.slice(at + 1).map((second) => [first, second] as const));
  return permutation(all.length, random).map((at) => {
    const [first, second] = all[at]!;
    return random.chance(0.5) ? [first, second] : [second, first];
  });
}

function pairOf(category: number, source: Subject, target: Subject): GeneratedPair {
  const apart = Math.abs(source.azimuth - target.azimuth) % 360;
  const turn = Math.min(apart, 360 - apart);
  const points = [...source.points].flatMap(([name, { x, y }]) => {
    const other = target.points.get(name);
    return other ? [{ name, source: [x, y] as [number, number], target: [other.x, other.y] as [number, number] }] : [];
  });
  return {
    category,
    viewpoint: turn < TURNS[0] ? 0 : turn < TURNS[1] ? 1 : 2,
    turn,
    source: source.index,
    target: target.index,
    points,
    targetBox: target.box,
  };
}
