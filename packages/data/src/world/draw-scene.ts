/**
 * Draws a scene at random: a pure function of its index, the number of classes and the seed.
 *
 * Colours, sizes, poses, light, surroundings and camera are drawn without regard to the class. A scene in which the subject
 * is not the largest thing to be seen is drawn again.
 */

import { createRandom, permutation, type Random } from '../random';
import { dominance } from './dominance';
import { type Colour, type Covering, classParts, type Scene, type SceneObject } from './scene';
import { COVERINGS } from './textures';
import type { Triple } from './toys';

// Streams of a position; attempts count up from 0.
const LABELS = 2 ** 31;
const ATTEMPTS = 12;
const MAX_OTHERS = 3;

// Share of the picture that the subject must fill, and how much larger than any other toy it must be.
const SUBJECT_SHARE = 0.1;
const SUBJECT_LEAD = 1.5;

/** Class of a scene: every `classes` consecutive indices hold each class once, in an order of their own. */
export function sceneLabel(index: number, classes: number, seed: number): number {
  const random = createRandom({ seed, position: Math.floor(index / classes), stream: LABELS });
  return permutation(classes, random)[index % classes]!;
}

/** Draws scene `index` of a world with `classes` classes. */
export function drawScene(index: number, classes: number, seed: number): Scene {
  const label = sceneLabel(index, classes, seed);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const random = createRandom({ seed, position: index, stream: attempt });
    const scene = attemptScene(label, classes, random.below(MAX_OTHERS + 1), random);
    const { share, lead } = dominance(scene);
    if (share >= SUBJECT_SHARE && lead >= SUBJECT_LEAD) return scene;
  }
  // Alone, the subject is the largest toy whatever its size.
  return attemptScene(label, classes, 0, createRandom({ seed, position: index, stream: ATTEMPTS }));
}

function attemptScene(label: number, classes: number, others: number, random: Random): Scene {
  const subject = drawObject(label, 0, 0, random);
  const objects = [subject];
  const azimuth = random.uniform(0, 2 * Math.PI);
  for (let i = 0; i < others; i++) {
    const other = placeBeside(objects, drawObject(random.below(classes), 0, 0, random), azimuth, random);
    if (other) objects.push(other);
  }
  // How far the farthest toy stands behind the subject: the wall is behind them all.
  const room = Math.max(...objects.map(({ x, z }) => -(x * Math.sin(azimuth) + z * Math.cos(azimuth))));
  const distance = random.uniform(2, 3);
  const elevation = random.uniform(0.15, 0.7);
  const target: Triple = [random.uniform(-0.15, 0.15), random.uniform(0.35, 0.6), random.uniform(-0.15, 0.15)];
  const lightAzimuth = random.uniform(0, 2 * Math.PI);
  const lightElevation = random.uniform(0.5, 1.25);
  return {
    label,
    objects,
    floor: drawCovering(random, 0.35),
    wall: random.chance(0.5) ? { distance: room + random.uniform(1, 3), covering: drawCovering(random, 0.45) } : null,
    sky: [drawColour(random, [0.05, 0.35], [0.75, 1]), drawColour(random, [0.25, 0.7], [0.35, 0.8])],
    light: onSphere(lightAzimuth, lightElevation, 1),
    camera: {
      eye: add(target, onSphere(azimuth, elevation, distance)),
      target,
      tangent: 0.38,
    },
  };
}

function drawObject(index: number, x: number, z: number, random: Random): SceneObject {
  const { toy, texture } = classParts(index);
  const first = drawColour(random, [0.25, 0.9], [0.25, 0.95]);
  let second = drawColour(random, [0.1, 0.9], [0.1, 1]);
  for (let i = 0; i < 8 && Math.abs(brightness(first) - brightness(second)) < 0.2; i++) {
    second = drawColour(random, [0.1, 0.9], [0.1, 1]);
  }
  return {
    class: index,
    toy,
    texture,
    x,
    z,
    yaw: random.uniform(0, 2 * Math.PI),
    scale: random.uniform(0.85, 1.15),
    colours: [first, second],
    accent: drawColour(random, [0.1, 0.9], [0.3, 1]),
    frequency: random.uniform(19, 30),
  };
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

function drawCovering(random: Random, contrast: number): Covering {
  const first = drawColour(random, [0.05, 0.6], [0.3, 0.9]);
  const other = drawColour(random, [0.05, 0.6], [0.2, 0.9]);
  const mixed = (channel: 0 | 1 | 2): number => first[channel] + contrast * (other[channel] - first[channel]);
  return {
    pattern: random.below(COVERINGS.length),
    scale: random.uniform(1.2, 3),
    angle: random.uniform(0, Math.PI),
    colours: [first, [mixed(0), mixed(1), mixed(2)]],
  };
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
