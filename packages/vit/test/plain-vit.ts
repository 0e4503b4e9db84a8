/**
 * A vision transformer in plain f64 loops, written from the papers and the public code of each family, not from ours: every option of `VitConfig` that
 * changes what a model computes for images of the size that it is made for.
 */
import type { VitConfig } from '../src/config';

type Weights = Readonly<Record<string, ArrayLike<number>>>;
type Rows = number[][];

export interface PlainOutput {
  readonly cls: readonly number[];
  readonly patches: readonly (readonly number[])[];
  /** Mean of the normed patches after the first block. */
  readonly firstMean: readonly number[];
  /** Attention of the first token in the last block, [heads, tokens]. */
  readonly attention: readonly (readonly number[])[];
}

/** One image [3, H, W]. */
export function plainVit(
  w: Weights,
  image: ArrayLike<number>,
  [H, W]: readonly [number, number],
  config: VitConfig,
): PlainOutput {
  const { patchSize: P, embedDim: D, numRegisterTokens: R, classToken = true, normEps = 1e-6 } = config;
  const [h, columns] = [H / P, W / P];
  const get = (name: string): ArrayLike<number> => w[name]!;
  const rowOf = (name: string, i = 0): number[] => Array.from({ length: D }, (_, d) => get(name)[i * D + d]!);
  const dense = (name: string, x: readonly number[]): number[] =>
    Array.from({ length: get(`${name}.bias`).length }, (_, o) =>
      x.reduce((sum, value, i) => sum + value * get(`${name}.weight`)[o * x.length + i]!, get(`${name}.bias`)[o]!),
    );
  const norm = (name: string, x: readonly number[]): number[] => {
    const mean = x.reduce((a, b) => a + b) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    return x.map(
      (value, i) =>
        ((value - mean) / Math.sqrt(variance + normEps)) * get(`${name}.weight`)[i]! + get(`${name}.bias`)[i]!,
    );
  };
  const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + b[i]!);
  const feedForward = (name: string, x: readonly number[]): number[] => {
    if (config.ffnLayer === 'mlp' || name.startsWith('attn_pool'))
      return dense(
        `${name}.fc2`,
        dense(`${name}.fc1`, x).map((value) => activation(value, config.activation)),
      );
    const both = dense(`${name}.w12`, x);
    const half = both.length / 2;
    return dense(
      `${name}.w3`,
      both.slice(0, half).map((gate, i) => (gate / (1 + Math.exp(-gate))) * both[half + i]!),
    );
  };

  const prefix = (classToken ? 1 : 0) + R;
  const patches: Rows = [];
  for (let n = 0; n < h * columns; n++) {
    const pixels: number[] = [];
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < P; y++)
        for (let x = 0; x < P; x++)
          pixels.push(image[(c * H + Math.floor(n / columns) * P + y) * W + (n % columns) * P + x]!);
    patches.push(dense('patch_embed.proj', pixels));
  }
  let tokens: Rows = [...(classToken ? [rowOf('cls_token')] : []), ...patches];
  if (config.ropeTheta === undefined) tokens = tokens.map((token, i) => plus(token, rowOf('pos_embed', i)));
  const registers = Array.from({ length: R }, (_, i) => rowOf('register_tokens', i));
  tokens.splice(classToken ? 1 : 0, 0, ...registers);
  if (config.preNorm) tokens = tokens.map((token) => norm('norm_pre', token));

  const scaled = (name: string, x: readonly number[]): number[] =>
    config.layerScale === undefined ? [...x] : x.map((value, i) => value * get(`${name}.gamma`)[i]!);
  let firstMean: number[] = [];
  let attention: Rows = [];
  for (let i = 0; i < config.depth; i++) {
    const b = `blocks.${i}`;
    const packed = tokens.map((token) => dense(`${b}.attn.qkv`, norm(`${b}.norm1`, token)));
    const head = (part: number, which: number) =>
      packed.map((row, t) => {
        const d = D / config.numHeads;
        const own = row.slice(part * D + which * d, part * D + (which + 1) * d);
        return part < 2 && t >= prefix && config.ropeTheta !== undefined
          ? turned(own, t - prefix, [h, columns], config.ropeTheta)
          : own;
      });
    const each = Array.from({ length: config.numHeads }, (_, k) => k);
    const heads = each.map((k) => attend(head(0, k), head(1, k), head(2, k)));
    attention = each.map((k) => softmaxOf(head(0, k)[0]!, head(1, k)));
    const attended = tokens.map((token, t) =>
      plus(
        token,
        scaled(
          `${b}.ls1`,
          dense(
            `${b}.attn.proj`,
            heads.flatMap((one) => one[t]!),
          ),
        ),
      ),
    );
    tokens = attended.map((token) =>
      plus(token, scaled(`${b}.ls2`, feedForward(`${b}.mlp`, norm(`${b}.norm2`, token)))),
    );
    if (i === 0) firstMean = meanOf(tokens.slice(prefix).map((token) => norm('norm', token)));
  }
  const normed = tokens.map((token) => norm('norm', token));
  const last = normed.slice(prefix);
  return { cls: classToken ? normed[0]! : pooled(), patches: last, firstMean, attention };

  function pooled(): number[] {
    const d = D / config.numHeads;
    const query = dense('attn_pool.q', rowOf('attn_pool.latent'));
    const both = last.map((patch) => dense('attn_pool.kv', patch));
    const parts = Array.from({ length: config.numHeads }, (_, k) => {
      const cut = (row: readonly number[], from: number) => row.slice(from + k * d, from + (k + 1) * d);
      return attend(
        [cut(query, 0)],
        both.map((row) => cut(row, 0)),
        both.map((row) => cut(row, D)),
      )[0]!;
    });
    const out = dense('attn_pool.proj', parts.flat());
    return plus(out, feedForward('attn_pool.mlp', norm('attn_pool.norm', out)));
  }
}

const meanOf = (rows: Rows): number[] =>
  rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]! / rows.length, 0));

function softmaxOf(query: readonly number[], keys: Rows): number[] {
  const scores = keys.map((key) =>
    Math.exp(key.reduce((sum, value, i) => sum + value * query[i]!, 0) / Math.sqrt(query.length)),
  );
  const total = scores.reduce((a, b) => a + b);
  return scores.map((score) => score / total);
}

function attend(q: Rows, k: Rows, v: Rows): Rows {
  return q.map((query) => {
    const shares = softmaxOf(query, k);
    return query.map((_, d) => v.reduce((sum, value, n) => sum + shares[n]! * value[d]!, 0));
  });
}

/** A query or key as complex numbers x[j] + i x[j + d/2], each times e^(i angle). */
function turned(x: readonly number[], patch: number, [h, w]: readonly [number, number], theta: number): number[] {
  const d = x.length;
  const [y, column] = [Math.floor(patch / w), patch % w];
  const out = [...x];
  for (let j = 0; j < d / 2; j++) {
    const along = j < d / 4 ? ((y + 0.5) / h) * 2 - 1 : ((column + 0.5) / w) * 2 - 1;
    const angle = (2 * Math.PI * along) / theta ** ((j % (d / 4)) / (d / 4));
    out[j] = x[j]! * Math.cos(angle) - x[j + d / 2]! * Math.sin(angle);
    out[j + d / 2] = x[j]! * Math.sin(angle) + x[j + d / 2]! * Math.cos(angle);
  }
  return out;
}

function activation(x: number, name: VitConfig['activation']): number {
  if (name === 'quick_gelu') return x / (1 + Math.exp(-1.702 * x));
  if (name === 'gelu_tanh') return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  return x * normalCdf(x);
}

/** By the series of the error function, exact to f64 for |x| up to about 4. */
function normalCdf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}
