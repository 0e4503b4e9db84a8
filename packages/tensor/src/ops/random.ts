/**
 * Random tensors from Philox: words, uniforms, normals, Bernoulli draws, permutations. Element i comes from word i of the op's stream under
 * the step's seed, a u32 pair given as an input, so a replay with a new seed draws new numbers. Bits, uniforms, Bernoulli draws and
 * permutations are the same bits in WGSL and in the f64 reference; normals agree to the accuracy of the adapter's logarithm and cosine.
 */
import type { DType } from '../base/dtype';
import { opError } from '../base/errors';
import { boxMuller, philoxWgsl, toUniform, wordOf } from '../base/philox';
import { type Shape, showShape, sizeOf } from '../base/shape';
import type { LowerArgs, Op, Tensor } from '../graph/op';
import { record1 } from '../graph/record';
import { kernelBuilder } from '../kernels/kernel-builder';

type Kind = 'bits' | 'uniform' | 'normal' | 'truncatedNormal' | 'bernoulli';
interface RandomAttrs {
  readonly kind: Kind;
  readonly shape: Shape;
  readonly stream: number;
  /** Bernoulli: probability of 1. Truncated normal: bound in standard deviations. */
  readonly parameter: number;
}

/** Uniform on (-1, 1) to a normal limited to +-bound by inverting the error function, which only uses log and sqrt (Giles 2010). */
const INVERSE_ERF_CENTRE = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const INVERSE_ERF_TAIL = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

function inverseErf(x: number): number {
  const w = -Math.log((1 - x) * (1 + x));
  const [t, coefficients] = w < 5 ? [w - 2.5, INVERSE_ERF_CENTRE] : [Math.sqrt(w) - 3, INVERSE_ERF_TAIL];
  return coefficients.reduce((sum, c) => sum * t + c, 0) * x;
}

/** erf(bound / sqrt 2): the mass of a standard normal within +-bound. */
function massWithin(bound: number): number {
  let sum = 0;
  const steps = 2000;
  for (let i = 0; i < steps; i++) sum += Math.exp(-0.5 * (((i + 0.5) / steps) * bound) ** 2);
  return Math.min((2 * bound * sum) / steps / Math.sqrt(2 * Math.PI), 1 - 2 ** -24);
}

const randomOp: Op<RandomAttrs> = {
  name: 'random',
  infer([seed], { kind, shape }) {
    if (seed!.dtype !== 'u32' || sizeOf(seed!.shape) !== 2)
      opError('dtype', 'random', `the seed must be two u32, got ${seed!.dtype} ${showShape(seed!.shape)}`);
    const dtype: DType = kind === 'bits' || kind === 'bernoulli' ? 'u32' : 'f32';
    return [{ shape, dtype }];
  },
  reference([seed], { kind, stream, parameter }, [out]) {
    const key = [seed!.data[0]!, seed!.data[1]!] as const;
    const u = (i: number) => toUniform(wordOf(key, stream, i));
    const mass = kind === 'truncatedNormal' ? massWithin(parameter) : 0;
    return [
      Float64Array.from({ length: sizeOf(out!.shape) }, (_, i) => {
        if (kind === 'bits') return wordOf(key, stream, i);
        if (kind === 'uniform') return u(i);
        if (kind === 'bernoulli') return Number(u(i) < Math.fround(parameter));
        if (kind === 'normal')
          return i % 2 === 0
            ? boxMuller(u(i), u(i + 1))
            : Math.sqrt(-2 * Math.log(1 - u(i - 1))) * Math.sin(2 * Math.PI * u(i));
        return Math.SQRT2 * inverseErf((2 * u(i) + 2 ** -24 - 1) * mass);
      }),
    ];
  },
  lower({ inputs: [seed], outputs: [out], attrs: { kind, stream, parameter }, target }: LowerArgs<RandomAttrs>) {
    const k = kernelBuilder(kind, target);
    const S = k.read(seed!);
    const O = k.write(out!);
    const n = k.uniform(sizeOf(out!.shape));
    const p = k.uniformF32(kind === 'truncatedNormal' ? massWithin(parameter) : parameter);
    const polynomial = (coefficients: readonly number[]) =>
      coefficients
        .slice(1)
        .reduce((sum, c) => `(${sum}) * t + ${c.toExponential()}f`, `${coefficients[0]!.toExponential()}f`);
    const declarations = `${philoxWgsl}
fn inverseErf(x: f32) -> f32 {
  let w = -log((1.0 - x) * (1.0 + x));
  if (w < 5.0) { let t = w - 2.5; return (${polynomial(INVERSE_ERF_CENTRE)}) * x; }
  let t = sqrt(w) - 3.0; return (${polynomial(INVERSE_ERF_TAIL)}) * x;
}`;
    const draw: Record<Kind, string> = {
      bits: 'let value = bits;',
      uniform: 'let value = toUniform(bits);',
      bernoulli: `let value = select(vec4<u32>(0u), vec4<u32>(1u), toUniform(bits) < vec4<f32>(${p}));`,
      normal: `let w = toUniform(bits);
  let radius = sqrt(-2.0 * log(1.0 - w.xz)); let angle = 6.283185307179586 * w.yw;
  let value = vec4<f32>(radius.x * cos(angle.x), radius.x * sin(angle.x), radius.y * cos(angle.y), radius.y * sin(angle.y));`,
      truncatedNormal: `let w = (2.0 * toUniform(bits) + 5.9604644775390625e-8 - 1.0) * ${p};
  let value = 1.4142135623730951 * vec4<f32>(inverseErf(w.x), inverseErf(w.y), inverseErf(w.z), inverseErf(w.w));`,
    };
    const body = `
  let first = thread * 4u;
  if (first >= ${n}) { return; }
  let bits = philox(vec4<u32>(thread, ${k.uniform(stream)}, 0u, 0u), vec2<u32>(${S}[0], ${S}[1]));
  ${draw[kind]}
  for (var j = 0u; j < min(4u, ${n} - first); j++) { ${O}[first + j] = value[j]; }`;
    const workgroups = Math.ceil(sizeOf(out!.shape) / 256);
    return [k.build({ declarations, body, workgroupSize: 64, workgroups, serial: 1 })];
  },
};

const random = (seed: Tensor, kind: Kind, shape: Shape, stream: number, parameter = 0): Tensor =>
  record1(randomOp, [seed], { kind, shape, stream, parameter });

/** Uniform u32 words. `stream` must differ between the random ops of one step. */
export const randomWords = (seed: Tensor, shape: Shape, stream: number): Tensor => random(seed, 'bits', shape, stream);
/** Uniform f32 in [0, 1), multiples of 2^-24. */
export const randomUniform = (seed: Tensor, shape: Shape, stream: number): Tensor =>
  random(seed, 'uniform', shape, stream);
/** Standard normal f32. */
export const randomNormal = (seed: Tensor, shape: Shape, stream: number): Tensor =>
  random(seed, 'normal', shape, stream);
/** Standard normal f32 conditioned on lying within +-`bound` (standard deviations). */
export const randomTruncatedNormal = (seed: Tensor, shape: Shape, stream: number, bound = 2): Tensor =>
  random(seed, 'truncatedNormal', shape, stream, bound);
/** u32 1 with probability p, else 0. */
export function randomBernoulli(seed: Tensor, shape: Shape, stream: number, p: number): Tensor {
  if (!(p >= 0 && p <= 1)) opError('argument', 'randomBernoulli', `probability ${p} is not in [0, 1]`);
  return random(seed, 'bernoulli', shape, stream, p);
}

const rankOp: Op<object> = {
  name: 'rank',
  infer: ([keys]) => [{ shape: keys!.shape, dtype: 'u32' }],
  reference: ([keys]) => [
    keys!.data.map((key, i) =>
      keys!.data.reduce((rank, other, j) => rank + Number(other < key || (other === key && j < i)), 0),
    ),
  ],
  lower({ inputs: [keys], outputs: [out], target }) {
    const k = kernelBuilder('rank', target);
    const [K, O] = [k.read(keys!), k.write(out!)];
    const n = k.uniform(sizeOf(keys!.shape));
    const body = `
  if (thread >= ${n}) { return; }
  let key = ${K}[thread];
  var rank = 0u;
  for (var j = 0u; j < ${n}; j++) { let other = ${K}[j]; if (other < key || (other == key && j < thread)) { rank++; } }
  ${O}[thread] = rank;`;
    const size = sizeOf(keys!.shape);
    return [k.build({ body, workgroupSize: 64, workgroups: Math.ceil(size / 64), serial: size })];
  },
};

/** A uniformly random permutation of 0..n-1 (u32 [n]): the ranks of n random words. Costs n^2 comparisons. */
export const randomPermutation = (seed: Tensor, n: number, stream: number): Tensor =>
  record1(rankOp, [randomWords(seed, [n], stream)], {});
