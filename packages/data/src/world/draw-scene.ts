/**
 * Draws a scene at random: a pure function of its index, the number of classes, the seed and the grade.
 *
 * Colours, sizes, poses, light, surroundings and camera are drawn without regard to the class. A scene in which the subject
 * is not the largest thing to be seen is drawn again.
 */

import { createRandom, permutation, type Random } from '../random';
import { dominance } from './dominance';
import { FREEDOM, type Freedom, type Grade } from './grades';
import { type Colour, type Covering, classParts, type Scene, type SceneObject } from './scene';
import { COVERINGS, isFlat } from './textures';
import type { Triple } from './toys';

// Streams of a position; attempts count up from 0.
const LABELS = 2 ** 31;
const ATTEMPTS = 12;

/** How much larger than any other toy the subject must be. */
const SUBJECT_LEAD = 1.5;

/** Lightness in `[0, 1]` of what stands in a world where that is not free. */
const LIGHTNESS = { dark: 0.3, light: 0.8, ground: [0.45, 0.65], horizon: 0.6, zenith: 0.5 } as const;

/** Class of a scene: every `classes` consecutive indices hold each class once, in an order of their own. */
export function sceneLabel(index: number, classes: number, seed: number): number {
  const random = createRandom({ seed, position: Math.floor(index / classes), stream: LABELS });
  return permutation(classes, random)[index % classes]!;
}

/** Draws scene `index` of a world with `classes` classes. */
export function drawScene(index: number, classes: number, seed: number, grade: Grade): Scene {
  const label = sceneLabel(index, classes, seed);
  const { others, subjectShare } = FREEDOM[grade];
  const subject = { label, classes, grade, freedom: FREEDOM[grade] };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const random = createRandom({ seed, position: index, stream: attempt });
    const scene = arrangeScene(subject, random.below(others + 1), random);
    const { share, lead } = dominance(scene);
    if (share >= subjectShare && lead >= SUBJECT_LEAD) return scene;
  }
  // Alone, the subject is the largest toy whatever its size.
  return arrangeScene(subject, 0, createRandom({ seed, position: index, stream: ATTEMPTS }));
}

/** What a scene is to show. */
export interface Subject {
  readonly label: number;
  readonly classes: number;
  readonly grade: Grade;
  readonly freedom: Freedom;
}

/** Draws a scene of a subject and at most `others` more, as many as there is room for; whoever calls looks at it. */
export function arrangeScene({ label, classes, grade, freedom }: Subject, others: number, random: Random): Scene {
  const objects = [drawObject(label, grade, random)];
  const azimuth = random.uniform(0, 2 * Math.PI);
  for (let i = 0; i < others; i++) {
    const other = placeBeside(objects, drawObject(random.below(classes), grade, random), azimuth, random);
    if (other) objects.push(other);
  }
  // How far the farthest toy stands behind the subject: the wall is behind them all.
  const room = Math.max(...objects.map(({ x, z }) => -(x * Math.sin(azimuth) + z * Math.cos(azimuth))));
  const distance = random.uniform(...freedom.distance);
  const elevation = random.uniform(0.15, 0.7);
  const target: Triple = [
    random.uniform(...freedom.across),
    random.uniform(...freedom.height),
    random.uniform(...freedom.across),
  ];
  const lightAzimuth = random.uniform(0, 2 * Math.PI);
  const lightElevation = random.uniform(0.5, 1.25);
  const covering = (contrast: number): Covering => drawCovering(freedom, contrast, random);
  return {
    label,
    objects,
    floor: covering(freedom.floor),
    wall: random.chance(0.5) ? { distance: room + random.uniform(1, 3), covering: covering(freedom.wall) } : null,
    sky: freedom.anyLightness
      ? [drawColour(random, [0.05, 0.35], [0.75, 1]), drawColour(random, [0.25, 0.7], [0.35, 0.8])]
      : [drawHue(random, LIGHTNESS.horizon), drawHue(random, LIGHTNESS.zenith)],
    light: onSphere(lightAzimuth, lightElevation, 1),
    camera: {
      eye: add(target, onSphere(azimuth, elevation, distance)),
      target,
      tangent: 0.38,
    },
  };
}

/** A toy of class `index`, where its scene has its middle. */
function drawObject(index: number, grade: Grade, random: Random): SceneObject {
  const { toy, texture } = classParts(index, grade);
  const freedom = FREEDOM[grade];
  const colours = freedom.anyLightness ? drawPair(random) : drawToned(random);
  return {
    class: index,
    toy,
    texture,
    x: 0,
    z: 0,
    yaw: random.uniform(0, 2 * Math.PI),
    scale: random.uniform(0.85, 1.15),
    colours,
    accent: drawColour(random, [0.1, 0.9], [0.3, 1]),
    frequency: random.uniform(...freedom.frequency),
    ...(isFlat(texture) && { shift: [random.uniform(0, 1), random.uniform(0, 1)] as const }),
  };
}

/** Two colours that differ in brightness. */
function drawPair(random: Random): [Colour, Colour] {
  const first = drawColour(random, [0.25, 0.9], [0.25, 0.95]);
  let second = drawColour(random, [0.1, 0.9], [0.1, 1]);
  for (let i = 0; i < 8 && Math.abs(brightness(first) - brightness(second)) < 0.2; i++) {
    second = drawColour(random, [0.1, 0.9], [0.1, 1]);
  }
  return [first, second];
}

/** A dark colour and a light one, of any hue, in either order. */
function drawToned(random: Random): [Colour, Colour] {
  const [dark, light] = [drawHue(random, LIGHTNESS.dark), drawHue(random, LIGHTNESS.light)];
  return random.chance(0.5) ? [dark, light] : [light, dark];
}

/** Finds room for another toy: anywhere around, mostly farther from the camera than the subject. */
function placeBeside(
  objects: SceneObject[],
  other: SceneObject,
  azimuth: number,
  random: Random,
): SceneObject | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const away = random.uniform(-0.9, 3.2);
    const across = random.uniform(-1, 1) * (1.1 + 0.35 * Math.max(0, away));
    // The camera stands in direction `azimuth` from the subject.
    const x = -away * Math.sin(azimuth) + across * Math.cos(azimuth);
    const z = -away * Math.cos(azimuth) - across * Math.sin(azimuth);
    if (objects.every((object) => Math.hypot(object.x - x, object.z - z) > 0.62 * (object.scale + other.scale))) {
      return { ...other, x, z };
    }
  }
  return undefined;
}

function drawCovering({ anyLightness }: Freedom, contrast: number, random: Random): Covering {
  const first = anyLightness
    ? drawColour(random, [0.05, 0.6], [0.3, 0.9])
    : drawHue(random, random.uniform(...LIGHTNESS.ground));
  const other = drawColour(random, [0.05, 0.6], [0.2, 0.9]);
  const mixed = (channel: 0 | 1 | 2): number => first[channel] + contrast * (other[channel] - first[channel]);
  return {
    pattern: random.below(COVERINGS.length),
    scale: random.uniform(1.2, 3),
    angle: random.uniform(0, Math.PI),
    colours: [first, [mixed(0), mixed(1), mixed(2)]],
  };
}

/** A colour of any hue and of the given brightness: darker by less light, lighter by white. */
function drawHue(random: Random, target: number): Colour {
  const colour = drawColour(random, [0.3, 1], [1, 1]);
  const [light, wanted] = [brightness(colour) ** 2, target ** 2];
  const toned = (x: number): number =>
    light >= wanted ? (x * wanted) / light : x + ((1 - x) * (wanted - light)) / (1 - light);
  return [toned(colour[0]), toned(colour[1]), toned(colour[2])];
}

/** A colour of any hue, saturation and value from the given ranges, in linear light. */
function drawColour(random: Random, saturation: readonly [number, number], value: readonly [number, number]): Colour {
  const hue = random.uniform(0, 6);
  const s = random.uniform(...saturation);
  const v = random.uniform(...value);
  const channel = (offset: number): number => {
    const k = (offset + hue) % 6;
    return (v - v * s * Math.max(0, Math.min(k, 4 - k, 1))) ** 2;
  };
  return [channel(5), channel(3), channel(1)];
}

const brightness = ([red, green, blue]: Colour): number => Math.sqrt(0.3 * red + 0.59 * green + 0.11 * blue);

const onSphere = (azimuth: number, elevation: number, radius: number): Triple => [
  radius * Math.cos(elevation) * Math.sin(azimuth),
  radius * Math.sin(elevation),
  radius * Math.cos(elevation) * Math.cos(azimuth),
];

const add = (a: Triple, b: Triple): Triple => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
