/**
 * Value noise: a hash of the integer lattice, interpolated smoothly. Cheap, deterministic, and the same on every machine.
 */

/** Scatters the bits of a lattice point, uniform in `[0, 1)`. */
function scatter(bits: number): number {
  const h = Math.imul(bits ^ (bits >>> 13), 0x5bd1e995);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

const smooth = (t: number): number => t * t * (3 - 2 * t);
const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/** Noise in `[0, 1)` with features of unit size. */
export function noise(x: number, y: number, z: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const z0 = Math.floor(z);
  const u = smooth(x - x0);
  const v = smooth(y - y0);
  const near = layer(x0, y0, z0, u, v);
  // A whole `z` is a plane of the lattice: noise of two dimensions at half the cost.
  return z === z0 ? near : mix(near, layer(x0, y0, z0 + 1, u, v), smooth(z - z0));
}

function layer(x: number, y: number, z: number, u: number, v: number): number {
  // The hash of four corners takes its products once.
  const x0 = Math.imul(x, 0x8da6b343);
  const x1 = (x0 + 0x8da6b343) | 0;
  const z0 = Math.imul(z, 0xcb1ab31f);
  const y0 = Math.imul(y, 0xd8163841);
  const lower = y0 ^ z0;
  const upper = (y0 + 0xd8163841) ^ z0;
  return mix(mix(scatter(x0 ^ lower), scatter(x1 ^ lower), u), mix(scatter(x0 ^ upper), scatter(x1 ^ upper), u), v);
}

/** Sum of two octaves, in `[0, 1)`. */
export function turbulence(x: number, y: number, z: number): number {
  return (2 * noise(x, y, z) + noise(2.1 * x + 7, 2.1 * y, 2.1 * z + 3)) / 3;
}
