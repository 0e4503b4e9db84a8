/**
 * Ray against solid, in the solid's own frame, where every solid is of unit size:
 *
 *   sphere    |p| <= 1
 *   cube      |x|, |y|, |z| <= 1
 *   cylinder  x^2 + z^2 <= 1, |y| <= 1
 *   cone      x^2 + z^2 <= ((1 - y) / 2)^2, |y| <= 1: base of radius 1 at y = -1, tip at y = 1
 *
 * The direction of a ray need not be of unit length, so that an affine map of ray and solid keeps `t`.
 */

export type Solid = 'sphere' | 'cube' | 'cylinder' | 'cone';

/**
 * A ray `o + t d` as six numbers: `o`, then `d`. One reused array, because a picture casts a hundred thousand rays and
 * numbers passed one by one would each be boxed.
 */
export type Ray = Float64Array;

const MISS = Number.POSITIVE_INFINITY;

/** Smallest `t > 0` where a ray enters a unit solid from outside, or Infinity. */
export function intersect(solid: Solid, ray: Ray): number {
  switch (solid) {
    case 'sphere':
      return sphere(ray);
    case 'cube':
      return cube(ray);
    case 'cylinder':
      return cylinder(ray);
    case 'cone':
      return cone(ray);
  }
}

function sphere(ray: Ray): number {
  const ox = ray[0]!;
  const oy = ray[1]!;
  const oz = ray[2]!;
  const dx = ray[3]!;
  const dy = ray[4]!;
  const dz = ray[5]!;
  const a = dx * dx + dy * dy + dz * dz;
  const b = ox * dx + oy * dy + oz * dz;
  const discriminant = b * b - a * (ox * ox + oy * oy + oz * oz - 1);
  if (discriminant < 0) return MISS;
  const t = (-b - Math.sqrt(discriminant)) / a;
  return t > 0 ? t : MISS;
}

function cube(ray: Ray): number {
  // Division by a zero component gives infinities of the right sign.
  const overX = 1 / ray[3]!;
  const overY = 1 / ray[4]!;
  const overZ = 1 / ray[5]!;
  const x0 = (-1 - ray[0]!) * overX;
  const x1 = (1 - ray[0]!) * overX;
  const y0 = (-1 - ray[1]!) * overY;
  const y1 = (1 - ray[1]!) * overY;
  const z0 = (-1 - ray[2]!) * overZ;
  const z1 = (1 - ray[2]!) * overZ;
  const enter = Math.max(Math.min(x0, x1), Math.min(y0, y1), Math.min(z0, z1));
  const leave = Math.min(Math.max(x0, x1), Math.max(y0, y1), Math.max(z0, z1));
  return enter > 0 && enter <= leave ? enter : MISS;
}

function cylinder(ray: Ray): number {
  const ox = ray[0]!;
  const oy = ray[1]!;
  const oz = ray[2]!;
  const dx = ray[3]!;
  const dy = ray[4]!;
  const dz = ray[5]!;
  let nearest = MISS;
  const cap = ((oy > 0 ? 1 : -1) - oy) / dy;
  if (cap > 0 && (ox + cap * dx) ** 2 + (oz + cap * dz) ** 2 <= 1) nearest = cap;
  const a = dx * dx + dz * dz;
  const b = ox * dx + oz * dz;
  const discriminant = b * b - a * (ox * ox + oz * oz - 1);
  if (discriminant < 0) return nearest;
  const t = (-b - Math.sqrt(discriminant)) / a;
  return t > 0 && t < nearest && Math.abs(oy + t * dy) <= 1 ? t : nearest;
}

function cone(ray: Ray): number {
  const ox = ray[0]!;
  const oy = ray[1]!;
  const oz = ray[2]!;
  const dx = ray[3]!;
  const dy = ray[4]!;
  const dz = ray[5]!;
  let nearest = MISS;
  const base = (-1 - oy) / dy;
  if (oy < -1 && base > 0 && (ox + base * dx) ** 2 + (oz + base * dz) ** 2 <= 1) nearest = base;
  const below = 1 - oy;
  const a = dx * dx + dz * dz - 0.25 * dy * dy;
  const b = ox * dx + oz * dz + 0.25 * below * dy;
  const discriminant = b * b - a * (ox * ox + oz * oz - 0.25 * below * below);
  if (discriminant < 0) return nearest;
  const root = Math.sqrt(discriminant);
  // Steep rays (a < 0) meet the mirrored cone above the tip too: both roots are tried, the height check sorts them out.
  const one = (-b - root) / a;
  const other = (-b + root) / a;
  if (one > 0 && one < nearest && Math.abs(oy + one * dy) <= 1) nearest = one;
  if (other > 0 && other < nearest && Math.abs(oy + other * dy) <= 1) nearest = other;
  return nearest;
}

/** Turns a surface point of a solid, in its own frame, into an outward normal there, not of unit length. In place. */
export function toNormal(solid: Solid, point: Float64Array): void {
  const x = point[0]!;
  const y = point[1]!;
  const z = point[2]!;
  if (solid === 'cylinder') {
    if (x * x + z * z > y * y) point[1] = 0;
    else point.fill(0, 0, 3)[1] = y;
  } else if (solid === 'cone') {
    if (y < -1 + 1e-6) point.fill(0, 0, 3)[1] = -1;
    else point[1] = (1 - y) / 4;
  } else if (solid === 'cube') {
    const largest = Math.max(Math.abs(x), Math.abs(y), Math.abs(z));
    for (let axis = 0; axis < 3; axis++) if (Math.abs(point[axis]!) < largest) point[axis] = 0;
  }
}
