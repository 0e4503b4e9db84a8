/**
 * Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator. Word i of stream s under a seed
 * is a pure function of (seed, s, i), so any device can compute any part in any order, and nothing but the seed needs saving. The WGSL
 * below and the TypeScript give the same bits.
 */
import { TensorError } from './errors';

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the product of two u32, from 16-bit halves: a double holds only 53 bits. Scalars throughout, since data sets draw millions. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/** Four u32 for one counter under a two-word key. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A whole number in 0 .. 2^53 - 1, which is what a seed is in every package. */
export type Seed = number;

/** The low and the high word of a seed: the key of `philox`, and what an input `seed` (u32 [2]) of a step is given. Throws `TensorError`. */
export function seedWords(seed: Seed): [low: number, high: number] {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new TensorError('argument', `seed ${String(seed)} is no whole number in 0 .. 2^53 - 1`);
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}

/** Word `index` of a stream. Throws `TensorError` for what is no seed. */
export const randomBits = (seed: Seed, stream: number, index: number): number => wordOf(seedWords(seed), stream, index);

/** Word `index` of a stream under a key. */
export const wordOf = (key: readonly [number, number], stream: number, index: number): number =>
  philox([Math.floor(index / 4) >>> 0, stream >>> 0, 0, 0], key)[index % 4]!;

/** A stream of numbers for set-up on the CPU, read in order. */
export interface RandomStream {
  /** Uniform in [0, 1), a multiple of 2^-24. */
  uniform(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
}

/** Opens stream `stream` (a u32) of a seed at its start. Throws `TensorError` for what is no seed. */
export function randomStream(seed: Seed, stream: number): RandomStream {
  const key = seedWords(seed);
  let index = 0;
  let block: [number, number, number, number] = [0, 0, 0, 0];
  const word = (): number => {
    if (index % 4 === 0) block = philox([index / 4, stream >>> 0, 0, 0], key);
    return block[index++ % 4]!;
  };
  const uniform = (): number => toUniform(word());
  return {
    uniform,
    normal: () => boxMuller(uniform(), uniform()),
  };
}

/** The top 24 bits as a multiple of 2^-24 in [0, 1): exact in f32. */
export const toUniform = (bits: number): number => (bits >>> 8) * 2 ** -24;

/** A normal from two uniforms; 1 - u keeps the logarithm finite. */
export const boxMuller = (u: number, v: number): number => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);

export const philoxWgsl: string = /* @__PURE__ */ philoxText();

function philoxText(): string {
  return `
fn mulHigh(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu; let ah = a >> 16u; let bl = b & 0xffffu; let bh = b >> 16u;
  let middle = ah * bl + ((al * bl) >> 16u);
  let cross = al * bh + (middle & 0xffffu);
  return ah * bh + (middle >> 16u) + (cross >> 16u);
}
fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
  var c = counter; var k = seed;
  for (var round = 0; round < 10; round++) {
    c = vec4<u32>(mulHigh(${M1}u, c.z) ^ c.y ^ k.x, ${M1}u * c.z, mulHigh(${M0}u, c.x) ^ c.w ^ k.y, ${M0}u * c.x);
    k += vec2<u32>(${W0}u, ${W1}u);
  }
  return c;
}
fn toUniform(bits: vec4<u32>) -> vec4<f32> { return vec4<f32>(bits >> vec4<u32>(8u)) * 5.9604644775390625e-8; }`;
}
