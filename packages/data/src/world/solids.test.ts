import { describe, expect, it } from 'vitest';
import { createRandom } from '../random';
import { intersect, type Solid, toNormal } from './solids';

/** Positive inside, 0 on the surface: the definition of each solid. */
const INSIDE: Record<Solid, (x: number, y: number, z: number) => number> = {
  sphere: (x, y, z) => 1 - Math.hypot(x, y, z),
  cube: (x, y, z) => 1 - Math.max(Math.abs(x), Math.abs(y), Math.abs(z)),
  cylinder: (x, y, z) => 1 - Math.max(Math.hypot(x, z), Math.abs(y)),
  cone: (x, y, z) => Math.min((1 - y) / 2 - Math.hypot(x, z), 1 + y),
};

const random = createRandom({ seed: 6, position: 0, stream: 0 });
/** Rays from outside towards the solid's surroundings. */
const RAYS = Array.from({ length: 300 }, () => {
  const [azimuth, height] = [random.uniform(0, 2 * Math.PI), random.uniform(-3, 3)];
  const origin = [4 * Math.cos(azimuth), height, 4 * Math.sin(azimuth)];
  const aim = [random.uniform(-1.3, 1.3), random.uniform(-1.3, 1.3), random.uniform(-1.3, 1.3)];
  return Float64Array.from([...origin, ...aim.map((value, i) => 0.7 * (value - origin[i]!))]);
});
const at = (ray: Float64Array, t: number): [number, number, number] => [
  ray[0]! + t * ray[3]!,
  ray[1]! + t * ray[4]!,
  ray[2]! + t * ray[5]!,
];

describe.each(Object.keys(INSIDE) as Solid[])('%s', (solid) => {
  const inside = INSIDE[solid];

  it('is entered where walking along the ray first finds its inside', () => {
    const step = 0.002;
    let hits = 0;
    for (const ray of RAYS) {
      const t = intersect(solid, ray);
      let walked = 0;
      while (walked < 3 && inside(...at(ray, walked)) < 0) walked += step;
      if (t === Number.POSITIVE_INFINITY) {
        // Walking may only have grazed an edge that the ray cuts off by less than a step.
        expect(walked >= 3 || inside(...at(ray, walked)) < 0.01).toBe(true);
        continue;
      }
      hits++;
      expect(Math.abs(inside(...at(ray, t)))).toBeLessThan(1e-9);
      // A corner cut off by less than a step may be walked past.
      if (walked < 3 && inside(...at(ray, t + step)) > 0) expect(Math.abs(walked - t)).toBeLessThan(1.001 * step);
    }
    expect(hits).toBeGreaterThan(60);
  });

  it('has normals that point outwards, along the steepest way out', () => {
    for (const ray of RAYS) {
      const t = intersect(solid, ray);
      if (t === Number.POSITIVE_INFINITY) continue;
      const point = at(ray, t);
      const normal = Float64Array.from(point);
      toNormal(solid, normal);
      const length = Math.hypot(...normal);
      const out = point.map((value, i) => value + (1e-4 * normal[i]!) / length) as [number, number, number];
      const back = point.map((value, i) => value - (1e-4 * normal[i]!) / length) as [number, number, number];
      expect(inside(...out)).toBeLessThan(0);
      expect(inside(...back)).toBeGreaterThan(0);
      // Against the ray, since the ray enters here.
      expect(normal[0]! * ray[3]! + normal[1]! * ray[4]! + normal[2]! * ray[5]!).toBeLessThan(1e-9);
    }
  });

  it('is not met by rays that lead away from it', () => {
    for (const ray of RAYS) {
      const away = ray.map((value, i) => (i < 3 ? value : -value));
      expect(intersect(solid, away)).toBe(Number.POSITIVE_INFINITY);
    }
  });
});
