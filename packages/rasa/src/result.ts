/** What a fit gives: planes, what was read before and after each, and why it ended. Types only. */

/** An orthonormal basis of the directions that one head removes: two vectors of length D. */
export type Basis = readonly Float64Array[];

/** How well least squares reads position. */
export interface PositionReading {
  /** R^2 on the images it is fitted on: 1 is perfect, 0 is nothing. */
  readonly r2: number;
  /** How much of that is chance: what as many images would give if the features knew nothing of position. */
  readonly chance: number;
}

/** One plane found and removed. */
export interface RasaStage {
  /** Position as least squares reads it, before the plane is removed and after. */
  readonly before: PositionReading;
  readonly after: PositionReading;
  /**
   * Mean squared error and R^2 of the trained head over all images, before its plane is removed. With planes of its
   * weights it reads nothing after that, by construction.
   */
  readonly head: { readonly mse: number; readonly r2: number };
}

export interface RasaFit {
  /** Trained heads [2, D], in order, each for features with the planes before it removed. */
  readonly heads: readonly Float32Array[];
  /** [2] of each head, position = sigmoid(z w^T + b). 0 where features were not standardised. */
  readonly biases: readonly Float32Array[];
  /** The planes, one of each head. `removePlanes` takes them, `toOfficial` names them. */
  readonly bases: readonly Basis[];
  /** Which planes they are: what the heads' weights stand for, or the weights themselves, as published. */
  readonly directions: 'patterns' | 'weights';
  /** z' = z L, [D, D]. */
  readonly matrix: Float64Array;
  /** Position as least squares reads it from the features as they are, and from what the fit leaves. */
  readonly before: PositionReading;
  readonly after: PositionReading;
  /** One per plane. */
  readonly stages: readonly RasaStage[];
  /** Why there are no more planes: what is left of position is chance, or there are `iterations` of them (or as many as the width has). */
  readonly stopped: 'position-gone' | 'planes-spent';
  /** Images of one pass over the source, and how many of them no head was trained on. */
  readonly images: number;
  readonly leftOut: number;
}
