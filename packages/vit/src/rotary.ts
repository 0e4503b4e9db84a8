/**
 * Rotary positions (Su et al. 2021) in two dimensions, as DINOv3 has them: queries and keys of a patch are turned by angles that its place gives, so that their
 * product depends on how far two patches are apart.
 *
 * A head of width d has d/4 frequencies f_i = 2 pi theta^(-4 i / d) for each axis. The centre (y, x) of a patch, in [-1, 1] over the image, gives the angles
 * a = (y f, x f), d/2 of them, and the halves (u, v) of a query or key become (u cos a - v sin a, v cos a + u sin a). Values are not turned, nor are CLS and
 * registers, which have no place: their cosines are 1 and their sines 0, so that one product over the packed projection does it all.
 */
import {
  add,
  concat,
  constant,
  type DType,
  mul,
  reshape,
  sliceAxis,
  type Tensor,
  type TokenSegment,
} from '@franca/tensor';
import type { VitConfig } from './config';
import { prefixTokens } from './token-parts';

/** Cosines and signed sines for the queries, keys and values of the P + N tokens of an image, all [P + N, 3, 1, d]. */
export interface RotaryTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** For images of h x w patches; undefined where positions are a learned table. `dtype`: that of the projection. */
export function rotaryTable(
  [h, w]: readonly [number, number],
  config: VitConfig,
  dtype: DType,
): RotaryTable | undefined {
  if (config.ropeTheta === undefined) return undefined;
  const d = config.embedDim / config.numHeads;
  const before = prefixTokens(config);
  const shape = [before + h * w, 3, 1, d];
  const cos = new Float64Array(shape[0]! * 3 * d).fill(1);
  const sin = new Float64Array(cos.length);
  for (let patch = 0; patch < h * w; patch++) {
    const centre = [(2 * Math.floor(patch / w) + 1) / h - 1, (2 * (patch % w) + 1) / w - 1] as const;
    for (const part of [0, 1])
      for (let j = 0; j < d; j++) {
        const i = j % (d / 2);
        const frequency = 2 * Math.PI * config.ropeTheta ** ((-4 * (i % (d / 4))) / d);
        const angle = centre[i < d / 4 ? 0 : 1] * frequency;
        const at = ((before + patch) * 3 + part) * d + j;
        cos[at] = Math.cos(angle);
        sin[at] = j < d / 2 ? -Math.sin(angle) : Math.sin(angle);
      }
  }
  return { cos: constant(cos, shape, dtype), sin: constant(sin, shape, dtype) };
}

/** The packed projection [B, N, 3 H d] of images with queries and keys turned. */
export function rotate(qkv: Tensor, heads: number, { cos, sin }: RotaryTable): Tensor {
  const [B, N, width] = qkv.shape as [number, number, number];
  const d = width / (3 * heads);
  const packed = reshape(qkv, [B, N, 3, heads, d]);
  const swapped = concat([sliceAxis(packed, 4, d / 2, d), sliceAxis(packed, 4, 0, d / 2)], 4);
  return reshape(add(mul(packed, cos), mul(swapped, sin)), qkv.shape);
}

/** The same of images of several sizes whose rows lie one behind the other [R, 3 H d], with a table for each of the `segments`. */
export function rotateSegments(
  qkv: Tensor,
  heads: number,
  segments: readonly TokenSegment[],
  tables: readonly RotaryTable[],
): Tensor {
  const width = qkv.shape[1]!;
  let before = 0;
  const turned = segments.map(({ B, N }, i) => {
    const own = sliceAxis(qkv, 0, before, before + B * N);
    before += B * N;
    return reshape(rotate(reshape(own, [B, N, width]), heads, tables[i]!), [B * N, width]);
  });
  return concat(turned);
}
