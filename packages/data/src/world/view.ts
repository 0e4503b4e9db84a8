/**
 * What each pixel of a view shows: the nearest part of the nearest toy on the ray through its centre.
 *
 * Part by part instead of ray by ray: a part can only be seen inside the rectangle that its bounding sphere fills in the
 * picture, and there the nearer of two parts wins. All rays start at the camera, so that a part's frame takes the start of
 * a ray once for the whole picture.
 */

import type { Camera, Offsets, RayGrid } from './camera';
import type { PlacedPart } from './placed-toy';
import { intersect } from './solids';
import { directionToLocal, originToLocal, type Tracer } from './tracer';

/** What the rays of some pixels meet, one pixel after the other, each with all its rays. */
export interface View {
  /** Depth of the toy, Infinity for none. */
  readonly t: Float64Array;
  /** 0 for none, else `surfaceOf` what is seen. */
  readonly surface: Uint16Array;
  /** The rays. */
  readonly grid: RayGrid;
}

/** The pixels of a picture of `size x size` that are looked at. */
export interface Film {
  readonly size: number;
  /** The rays of each pixel. */
  readonly offsets: Offsets;
  /** Place of each pixel among those that are looked at, -1 for others; all pixels where absent. */
  readonly chosen?: Int32Array;
  /** How many are chosen. */
  readonly count: number;
}

/** All pixels, with one ray through the centre of each. */
export const wholeFilm = (size: number): Film => ({ size, offsets: [[0.5, 0.5]], count: size * size });

/** A part of a toy as one number, from 256. */
export const surfaceOf = (object: number, part: number): number => 256 * (object + 1) + part;

/** Index of the toy of a surface, -1 for none. */
export const objectOf = (surface: number): number => (surface >> 8) - 1;

/** Looks at the toys through the pixels of a film. */
export function lookAt({ toys }: Tracer, camera: Camera, film: Film): View {
  const { size, offsets, count } = film;
  const view = {
    grid: camera.grid(size, offsets),
    t: new Float64Array(count * offsets.length).fill(Number.POSITIVE_INFINITY),
    surface: new Uint16Array(count * offsets.length),
  };
  for (let object = 0; object < toys.length; object++) {
    const { parts } = toys[object]!;
    for (let part = 0; part < parts.length; part++) {
      const { center, radius } = parts[part]!;
      const window = pixelsOf(camera.bounds(center, radius), size);
      lookAtPart(parts[part]!, surfaceOf(object, part), window, film, view);
    }
  }
  return view;
}

function lookAtPart(part: PlacedPart, own: number, window: Window, film: Film, view: View): void {
  const { left, right, top, bottom } = window;
  const { size, offsets, chosen } = film;
  const { grid, t, surface } = view;
  const ray = new Float64Array(6);
  const local = new Float64Array(6);
  grid.ray(0, 0, 0, ray);
  originToLocal(part, ray, local);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const place = chosen ? chosen[y * size + x]! : y * size + x;
      if (place < 0) continue;
      for (let k = 0; k < offsets.length; k++) {
        grid.ray(x, y, k, ray);
        directionToLocal(part, ray, local);
        const near = intersect(part.solid, local);
        const i = place * offsets.length + k;
        if (near >= t[i]!) continue;
        t[i] = near;
        surface[i] = own;
      }
    }
  }
}

interface Window {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The pixels that reach into bounds, and half a pixel more against rounding. */
function pixelsOf({ u, v }: ReturnType<Camera['bounds']>, size: number): Window {
  const from = (edge: number): number => Math.min(size, Math.max(0, Math.floor(((edge + 1) / 2) * size - 0.5)));
  const to = (edge: number): number => Math.min(size, Math.max(0, Math.ceil(((edge + 1) / 2) * size + 0.5)));
  return { left: from(u[0]), right: to(u[1]), top: from(-v[1]), bottom: to(-v[0]) };
}
