/**
 * How hard a world is: what, besides the class, differs from picture to picture.
 *
 * Self-supervision finds what identifies a picture through all of its augmentations. In the hard world that is much else than
 * the class: colours, what stands around, what the floor is made of, how coarse a texture is and which way it runs. In the easy
 * one those are what the augmentations change anyway (hue, place, size, how coarse a texture is) or they are alike in all
 * pictures (how light things are), and what is left is the class: a toy and a texture that runs its own way. No grade ties the
 * class to a colour or a place.
 */

/** Grades, from what a small model learns in minutes to what takes a large one. */
export const GRADES = ['easy', 'medium', 'hard'] as const;

export type Grade = (typeof GRADES)[number];

/** Another one whenever a scene is drawn or rendered with other pixels, so that no older features are taken for them. */
export const RENDERING: Readonly<Record<Grade, number>> = { easy: 2, medium: 2, hard: 1 };

/** The grade in names: the hard world is the one that had none. */
export const gradeText = (grade: Grade): string => (grade === 'hard' ? '' : `${grade} `);

export type Range = readonly [low: number, high: number];

/** What a grade leaves free, and how far. */
export interface Freedom {
  /** Other toys in a scene, at most. */
  readonly others: number;
  /** Share of the picture that the subject must fill. */
  readonly subjectShare: number;
  /** Distance of the camera from the point that it looks at, and where that may lie across and in height. */
  readonly distance: Range;
  readonly across: Range;
  readonly height: Range;
  /** Frequency of a texture: radians per toy height for a solid one, periods per side of the picture for a flat one. */
  readonly frequency: Range;
  /** Whether colours are free in their lightness too, and not in hue and saturation only. */
  readonly anyLightness: boolean;
  /** Contrast of the patterns of floor and wall. */
  readonly floor: number;
  readonly wall: number;
}

export const FREEDOM: Readonly<Record<Grade, Freedom>> = {
  easy: {
    others: 0,
    subjectShare: 0.35,
    distance: [1, 1.5],
    across: [-0.4, 0.4],
    height: [0.25, 0.75],
    frequency: [4.5, 8.5],
    anyLightness: false,
    floor: 0,
    wall: 0,
  },
  medium: {
    others: 2,
    subjectShare: 0.2,
    distance: [1.4, 2.2],
    across: [-0.2, 0.2],
    height: [0.3, 0.65],
    frequency: [4.5, 9],
    anyLightness: true,
    floor: 0.15,
    wall: 0.2,
  },
  hard: {
    others: 3,
    subjectShare: 0.1,
    distance: [2, 3],
    across: [-0.15, 0.15],
    height: [0.35, 0.6],
    frequency: [19, 30],
    anyLightness: true,
    floor: 0.35,
    wall: 0.45,
  },
};
