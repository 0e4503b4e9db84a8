/**
 * The toys of the generated world: composite bodies that a person names at a glance.
 *
 * They stand on `y = 0`, about one unit high, and face `+z`. Solids overlap freely; keypoints are named points of the
 * surface that mean the same on every specimen.
 */

import type { Solid } from './solids';

export type Triple = readonly [number, number, number];

/** What a part is painted with: the class's texture, an accent colour, or something dark. */
export type Paint = 'texture' | 'accent' | 'dark';

/** A solid of half extents `half` centred `at`, turned by degrees about x, then y, then z. */
export interface Part {
  solid: Solid;
  at: Triple;
  half: Triple;
  paint: Paint;
  turn?: Triple;
}

export interface Toy {
  name: string;
  parts: readonly Part[];
  keypoints: Readonly<Record<string, Triple>>;
  /**
   * Of a body that looks the same from several sides: which keypoints can only be told from their like where one of the others
   * named here is seen too. All others are told by the shape alone, from wherever they are seen.
   */
  toldBy?: Readonly<Record<string, readonly string[]>>;
}

const part = (solid: Solid, at: Triple, half: Triple, paint: Paint = 'texture', turn?: Triple): Part => ({
  solid,
  at,
  half,
  paint,
  ...(turn && { turn }),
});
const ball = (at: Triple, radius: number, paint: Paint = 'texture'): Part =>
  part('sphere', at, [radius, radius, radius], paint);

/** The same part at `x` and at `-x`. */
const both = (make: (side: 1 | -1) => Part): Part[] => [make(1), make(-1)];

/** One part at each of four `(x, z)` corners. */
const four = (x: number, z: number, make: (x: number, z: number) => Part): Part[] => [
  make(x, z),
  make(-x, z),
  make(x, -z),
  make(-x, -z),
];

const chair = (): Toy => ({
  name: 'chair',
  parts: [
    part('cube', [0, 0.48, 0], [0.32, 0.06, 0.32]),
    part('cube', [0, 0.82, -0.27], [0.32, 0.3, 0.05]),
    ...four(0.26, 0.26, (x, z) => part('cylinder', [x, 0.21, z], [0.05, 0.21, 0.05], 'accent')),
  ],
  keypoints: {
    'front left foot': [0.29, 0.02, 0.3],
    'front right foot': [-0.29, 0.02, 0.3],
    'back left foot': [0.29, 0.02, -0.3],
    'back right foot': [-0.29, 0.02, -0.3],
    'seat left corner': [0.32, 0.54, 0.32],
    'seat right corner': [-0.32, 0.54, 0.32],
    'back left corner': [0.32, 1.12, -0.22],
    'back right corner': [-0.32, 1.12, -0.22],
  },
});

const car = (): Toy => ({
  name: 'car',
  parts: [
    part('cube', [0, 0.33, 0], [0.33, 0.15, 0.66]),
    part('cube', [0, 0.57, -0.08], [0.27, 0.12, 0.34], 'accent'),
    part('cube', [0, 0.71, -0.08], [0.29, 0.025, 0.37]),
    ...four(0.33, 0.4, (x, z) => part('cylinder', [x, 0.18, z], [0.18, 0.07, 0.18], 'dark', [0, 0, 90])),
    ...both((side) => ball([side * 0.2, 0.36, 0.65], 0.07, 'accent')),
  ],
  keypoints: {
    'front left wheel': [0.4, 0.18, 0.4],
    'front right wheel': [-0.4, 0.18, 0.4],
    'back left wheel': [0.4, 0.18, -0.4],
    'back right wheel': [-0.4, 0.18, -0.4],
    'left headlight': [0.2, 0.37, 0.72],
    'right headlight': [-0.2, 0.37, 0.72],
    'roof front left': [0.29, 0.735, 0.29],
    'roof front right': [-0.29, 0.735, 0.29],
    'roof back left': [0.29, 0.735, -0.45],
    'roof back right': [-0.29, 0.735, -0.45],
  },
});

const house = (): Toy => ({
  name: 'house',
  parts: [
    part('cube', [0, 0.34, 0], [0.42, 0.34, 0.36]),
    part('cube', [0, 0.67, 0], [0.35, 0.35, 0.42], 'accent', [0, 0, 45]),
    part('cube', [0.22, 1.02, 0.12], [0.07, 0.22, 0.07]),
    part('cube', [-0.12, 0.2, 0.36], [0.1, 0.2, 0.02], 'dark'),
    part('cube', [0.2, 0.38, 0.36], [0.09, 0.09, 0.02], 'dark'),
  ],
  keypoints: {
    'front ridge': [0, 1.16, 0.42],
    'back ridge': [0, 1.16, -0.42],
    chimney: [0.22, 1.24, 0.12],
    'door top': [-0.12, 0.4, 0.38],
    'front left corner': [0.42, 0.02, 0.36],
    'front right corner': [-0.42, 0.02, 0.36],
    'back left corner': [0.42, 0.02, -0.36],
    'back right corner': [-0.42, 0.02, -0.36],
  },
});

const dog = (): Toy => ({
  name: 'dog',
  parts: [
    part('sphere', [0, 0.52, 0], [0.21, 0.2, 0.44]),
    part('sphere', [0, 0.82, 0.45], [0.19, 0.18, 0.2]),
    part('sphere', [0, 0.76, 0.65], [0.09, 0.08, 0.13], 'accent'),
    ball([0, 0.8, 0.77], 0.045, 'dark'),
    ...both((side) => ball([side * 0.09, 0.88, 0.61], 0.035, 'dark')),
    ...both((side) => part('sphere', [side * 0.19, 0.88, 0.4], [0.05, 0.15, 0.08], 'accent')),
    ...four(0.12, 0.28, (x, z) => part('cylinder', [x, 0.2, z], [0.065, 0.2, 0.065])),
    part('cylinder', [0, 0.71, -0.5], [0.04, 0.18, 0.04], 'texture', [-35, 0, 0]),
  ],
  keypoints: {
    nose: [0, 0.8, 0.815],
    'left ear': [0.22, 0.98, 0.4],
    'right ear': [-0.22, 0.98, 0.4],
    'front left paw': [0.15, 0.03, 0.33],
    'front right paw': [-0.15, 0.03, 0.33],
    'back left paw': [0.15, 0.03, -0.33],
    'back right paw': [-0.15, 0.03, -0.33],
    'tail tip': [0, 0.86, -0.61],
    back: [0, 0.72, 0],
  },
});

const duck = (): Toy => ({
  name: 'duck',
  parts: [
    part('sphere', [0, 0.32, -0.02], [0.31, 0.31, 0.44]),
    ball([0, 0.78, 0.24], 0.22),
    part('cone', [0, 0.74, 0.53], [0.11, 0.14, 0.07], 'accent', [90, 0, 0]),
    ...both((side) => ball([side * 0.13, 0.86, 0.4], 0.04, 'dark')),
    ...both((side) => part('sphere', [side * 0.29, 0.38, -0.08], [0.07, 0.16, 0.27], 'accent')),
    part('cone', [0, 0.48, -0.46], [0.16, 0.2, 0.1], 'texture', [-60, 0, 0]),
  ],
  keypoints: {
    'beak tip': [0, 0.74, 0.67],
    'left eye': [0.14, 0.86, 0.435],
    'right eye': [-0.14, 0.86, 0.435],
    'head top': [0, 1, 0.24],
    'left wing': [0.36, 0.38, -0.08],
    'right wing': [-0.36, 0.38, -0.08],
    'tail tip': [0, 0.58, -0.63],
  },
});

const mushroom = (): Toy => ({
  name: 'mushroom',
  parts: [
    part('cylinder', [0, 0.3, 0], [0.15, 0.3, 0.15], 'accent'),
    part('sphere', [0, 0.66, 0], [0.5, 0.27, 0.5]),
    part('cylinder', [0.42, 0.13, 0.28], [0.07, 0.13, 0.07], 'accent'),
    part('sphere', [0.42, 0.3, 0.28], [0.2, 0.13, 0.2]),
  ],
  keypoints: {
    top: [0, 0.93, 0],
    'rim left': [0.5, 0.66, 0],
    'rim right': [-0.5, 0.66, 0],
    'rim front': [0, 0.66, 0.5],
    'rim back': [0, 0.66, -0.5],
    'small top': [0.42, 0.43, 0.28],
  },
  // The large cap is round: the small mushroom beside it is its only front.
  toldBy: {
    'rim left': ['small top'],
    'rim right': ['small top'],
    'rim front': ['small top'],
    'rim back': ['small top'],
  },
});

const tree = (): Toy => ({
  name: 'tree',
  parts: [
    part('cylinder', [0, 0.13, 0], [0.09, 0.13, 0.09], 'dark'),
    part('cone', [0, 0.46, 0], [0.46, 0.25, 0.46]),
    part('cone', [0, 0.76, 0], [0.36, 0.23, 0.36]),
    part('cone', [0, 1.03, 0], [0.26, 0.21, 0.26]),
    ball([0, 1.26, 0], 0.06, 'accent'),
    ball([0.33, 0.33, 0.24], 0.06, 'accent'),
    ball([-0.33, 0.33, 0.24], 0.06, 'accent'),
    ball([0, 0.62, 0.34], 0.06, 'accent'),
  ],
  keypoints: {
    tip: [0, 1.32, 0],
    'left bauble': [0.37, 0.33, 0.28],
    'right bauble': [-0.37, 0.33, 0.28],
    'upper bauble': [0, 0.62, 0.4],
    foot: [0, 0.02, 0.09],
  },
  // Round but for its baubles, of which two tell a side.
  toldBy: {
    'left bauble': ['right bauble', 'upper bauble'],
    'right bauble': ['left bauble', 'upper bauble'],
    foot: ['upper bauble'],
  },
});

const rocket = (): Toy => ({
  name: 'rocket',
  parts: [
    part('cylinder', [0, 0.58, 0], [0.21, 0.36, 0.21]),
    part('cone', [0, 1.13, 0], [0.21, 0.2, 0.21], 'accent'),
    ...both((side) => part('cube', [side * 0.28, 0.22, 0], [0.11, 0.2, 0.03], 'accent')),
    ...both((side) => part('cube', [0, 0.22, side * 0.28], [0.03, 0.2, 0.11], 'accent')),
    part('cone', [0, 0.16, 0], [0.18, 0.14, 0.18], 'dark'),
    part('sphere', [0, 0.76, 0.18], [0.1, 0.1, 0.06], 'dark'),
  ],
  keypoints: {
    tip: [0, 1.33, 0],
    window: [0, 0.76, 0.24],
    'left fin': [0.39, 0.04, 0],
    'right fin': [-0.39, 0.04, 0],
    'front fin': [0, 0.04, 0.39],
    'back fin': [0, 0.04, -0.39],
  },
  // Four equal fins, told by the window.
  toldBy: { 'left fin': ['window'], 'right fin': ['window'], 'front fin': ['window'], 'back fin': ['window'] },
});

const mug = (): Toy => ({
  name: 'mug',
  parts: [
    part('cylinder', [0, 0.43, 0], [0.35, 0.43, 0.35]),
    part('cylinder', [0, 0.86, 0], [0.29, 0.006, 0.29], 'dark'),
    part('cube', [0.44, 0.66, 0], [0.13, 0.05, 0.07], 'accent'),
    part('cube', [0.44, 0.22, 0], [0.13, 0.05, 0.07], 'accent'),
    part('cube', [0.54, 0.44, 0], [0.05, 0.25, 0.07], 'accent'),
  ],
  keypoints: {
    'handle top': [0.59, 0.7, 0],
    'handle bottom': [0.59, 0.18, 0],
    'rim at handle': [0.35, 0.86, 0],
    'rim opposite': [-0.35, 0.86, 0],
    'rim front': [0, 0.86, 0.35],
    'rim back': [0, 0.86, -0.35],
  },
  // Round but for the handle.
  toldBy: {
    'rim at handle': ['handle top', 'handle bottom'],
    'rim opposite': ['handle top', 'handle bottom'],
    'rim front': ['handle top', 'handle bottom'],
    'rim back': ['handle top', 'handle bottom'],
  },
});

const snowman = (): Toy => ({
  name: 'snowman',
  parts: [
    ball([0, 0.29, 0], 0.31),
    ball([0, 0.73, 0], 0.23),
    ball([0, 1.05, 0], 0.17),
    part('cone', [0, 1.05, 0.25], [0.045, 0.11, 0.045], 'accent', [90, 0, 0]),
    ...both((side) => ball([side * 0.06, 1.11, 0.15], 0.03, 'dark')),
    part('cylinder', [0, 1.18, 0], [0.19, 0.018, 0.19], 'dark'),
    part('cylinder', [0, 1.28, 0], [0.12, 0.1, 0.12], 'dark'),
    ...both((side) => part('cylinder', [side * 0.34, 0.86, 0], [0.025, 0.2, 0.025], 'accent', [0, 0, side * -55])),
  ],
  keypoints: {
    nose: [0, 1.05, 0.36],
    'hat top': [0, 1.38, 0],
    'left hand': [0.5, 0.97, 0],
    'right hand': [-0.5, 0.97, 0],
    chest: [0, 0.73, 0.23],
    belly: [0, 0.29, 0.31],
  },
  // Round balls, and arms in the middle between front and back: the nose is the front.
  toldBy: { chest: ['nose'], belly: ['nose'] },
});

/** All toys, in the order of their classes. */
export const TOYS: readonly Toy[] = /* @__PURE__ */ allToys();

function allToys(): Toy[] {
  return [chair(), car(), house(), dog(), duck(), mushroom(), tree(), rocket(), mug(), snowman()];
}
