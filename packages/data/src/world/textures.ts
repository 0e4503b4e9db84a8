/**
 * Textures of the toys, solid and flat, and coverings of floors and walls.
 *
 * A solid texture is a function of a point in the body's own frame, so that a pattern runs through a body like grain through
 * wood and turns with it. A flat one is a function of two coordinates of the picture, like a slide that is projected onto the
 * toy from where the camera stands: its direction in the picture is the class's own from whatever side the toy is seen. Each
 * gives the share, in `[0, 1]`, of a second colour.
 */

import { noise, turbulence } from './noise';

export type Pattern = (x: number, y: number, z: number, frequency: number) => number;

/** Steps from 0 to 1 as `t` passes 0, over a width that keeps edges soft at the usual size of a picture. */
const edge = (t: number): number => Math.min(1, Math.max(0, 0.5 + 2.5 * t));

const striped: Pattern = (x, y, z, frequency) => edge(Math.sin(frequency * (0.94 * y + 0.24 * x + 0.24 * z)));

const checked: Pattern = (x, y, z, frequency) => {
  const f = 0.75 * frequency;
  return edge(2 * Math.sin(f * x + 0.8) * Math.sin(f * y + 0.8) * Math.sin(f * z + 0.8));
};

const dotted: Pattern = (x, y, z, frequency) => {
  const f = frequency / 5;
  // A body-centred lattice: every other layer is shifted, so that no cut through it misses the dots.
  const nearest = Math.min(toLattice(f * x, f * y, f * z), toLattice(f * x + 0.5, f * y + 0.5, f * z + 0.5));
  return edge(1.6 * (0.36 - nearest));
};

/** Distance to the nearest point with whole coordinates. */
function toLattice(x: number, y: number, z: number): number {
  return Math.sqrt((x - Math.round(x)) ** 2 + (y - Math.round(y)) ** 2 + (z - Math.round(z)) ** 2);
}

const marbled: Pattern = (x, y, z, frequency) => {
  const f = frequency / 6;
  const swirl = turbulence(f * x + 9, f * y + 9, f * z + 9);
  return 0.5 + 0.5 * Math.sin(0.45 * frequency * (x + 0.6 * y - z) + 11 * swirl);
};

// Flat patterns: with a frequency of 1 they repeat after about one unit, each in a direction, a form or a fineness that no other has.

const wave = (t: number): number => Math.sin(2 * Math.PI * t);
/** Distance to the nearest whole number, in `[0, 1/2]`. */
const toWhole = (t: number): number => Math.abs(t - Math.round(t));

const plain: Pattern = () => 0.5;
const banded: Pattern = (_x, y, _z, frequency) => edge(wave(frequency * y));
const barred: Pattern = (x, _y, _z, frequency) => edge(wave(frequency * x));
const slanted: Pattern = (x, y, _z, frequency) => edge(wave(Math.SQRT1_2 * frequency * (x + y)));
const leaning: Pattern = (x, y, z, frequency) => slanted(-x, y, z, frequency);
const zigzag: Pattern = (x, y, _z, frequency) => edge(wave(frequency * y + 1.6 * toWhole(0.5 * frequency * x)));
const chequered: Pattern = (x, y, _z, frequency) => {
  const f = 0.6 * frequency;
  return edge(2 * wave(f * x) * wave(f * y));
};
const harlequin: Pattern = (x, y, z, frequency) =>
  chequered(Math.SQRT1_2 * (x + y), Math.SQRT1_2 * (x - y), z, frequency);
const spotted: Pattern = (x, y, _z, frequency) => {
  const f = 0.9 * frequency;
  // Every other row is shifted by half a spot.
  const height = Math.sqrt(3) / 2;
  const row = Math.round((f * y) / height);
  return edge(5 * (0.3 - Math.hypot(toWhole(f * x + 0.5 * row), f * y - height * row)));
};
// Finer than the finest bars of any picture.
const pinstriped: Pattern = (x, y, z, frequency) => barred(x, y, z, 2.2 * frequency);

/** A family of textures. */
export interface Texture {
  readonly name: string;
  readonly pattern: Pattern;
}

/** Textures of the hard world. */
export const SOLID: readonly Texture[] = [
  { name: 'striped', pattern: striped },
  { name: 'checked', pattern: checked },
  { name: 'dotted', pattern: dotted },
  { name: 'marbled', pattern: marbled },
];

/** Textures of the easy and the medium world: what the patches of a small model can tell apart. */
export const FLAT: readonly Texture[] = [
  { name: 'banded', pattern: banded },
  { name: 'barred', pattern: barred },
  { name: 'leaning', pattern: leaning },
  { name: 'spotted', pattern: spotted },
  { name: 'slanted', pattern: slanted },
  { name: 'harlequin', pattern: harlequin },
  { name: 'plain', pattern: plain },
  { name: 'zigzag', pattern: zigzag },
  { name: 'chequered', pattern: chequered },
  { name: 'pinstriped', pattern: pinstriped },
];

/** All textures: a toy names its own by the place in here. */
export const TEXTURES: readonly Texture[] = /* @__PURE__ */ SOLID.concat(FLAT);

/** Whether the texture of a place in `TEXTURES` is flat. */
export const isFlat = (texture: number): boolean => texture >= SOLID.length;

/** Coverings of floors and walls, functions of two coordinates on them in world units. */
export const COVERINGS: readonly ((u: number, v: number) => number)[] = [
  // Tiles.
  (u, v) => (((Math.floor(u) + Math.floor(v)) & 1) === 0 ? 0.85 : 0.15) + 0.15 * (noise(3 * u, 3 * v, 0) - 0.5),
  // Planks with grain.
  (u, v) => {
    const plank = Math.floor(2 * u);
    const gap = Math.abs(2 * u - plank - 0.5) > 0.46 ? 0.5 : 0;
    return 0.3 + 0.4 * noise(plank * 5.3, 0.4 * v + 3.7 * plank, 1) + 0.3 * noise(14 * u, v, 2) - gap;
  },
  // Grass, gravel or plaster, by colour.
  (u, v) => 0.65 * noise(2.3 * u, 2.3 * v, 3) + 0.35 * noise(11 * u, 11 * v, 4),
  // Broad soft bands.
  (u, v) => 0.5 + 0.4 * Math.sin(2.6 * u + 2 * noise(0.7 * u, 0.7 * v, 5)),
];
