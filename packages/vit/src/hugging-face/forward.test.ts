/**
 * What a translated model computes is what the class of the transformers library computes, followed here in f64 loops under the library's own names, module by module of its
 * code. Our side is the recorded graph, run in f64; that a device computes what the graph says is tested elsewhere, but for one model that is loaded both ways.
 */
import { parametersOf } from '@franca/nn';
import { input, interpret, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { expect, test } from 'vitest';
import { D, DEPTH, FOLDERS, type FolderName, fileOf, HEADS, PATCH } from '../../test/hugging-face';
import { loadVit } from '../load';
import { vitSpecs } from '../specs';
import { vit } from '../vit';
import type { WeightFile } from '../weights';
import { translateHuggingFace } from './translate';

type Row = readonly number[];
type Weights = ReadonlyMap<string, ArrayLike<number>>;

interface Output {
  readonly cls: Row;
  readonly patches: readonly Row[];
}

/** Layers of the library, by the names in the file after `prefix`. */
function modules(w: Weights, prefix: string, eps: number) {
  const get = (name: string) => w.get(prefix + name);
  const rows = (name: string): Row[] => {
    const values = Array.from(get(name)!);
    return Array.from({ length: values.length / D }, (_, i) => values.slice(i * D, (i + 1) * D));
  };
  const product = (weight: ArrayLike<number>, bias: ArrayLike<number> | undefined, x: Row): number[] =>
    Array.from({ length: weight.length / x.length }, (_, o) =>
      x.reduce((sum, value, i) => sum + value * weight[o * x.length + i]!, bias?.[o] ?? 0),
    );
  const linear = (name: string, x: Row): number[] => product(get(`${name}.weight`)!, get(`${name}.bias`), x);
  const norm = (name: string, x: Row): number[] => {
    const mean = x.reduce((a, b) => a + b) / x.length;
    const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length + eps);
    return linearly(
      x,
      (value, i) => ((value - mean) / deviation) * get(`${name}.weight`)![i]! + get(`${name}.bias`)![i]!,
    );
  };
  /** [3, H, W] -> a row a patch. */
  const convolution = (name: string, image: ArrayLike<number>, [H, W]: readonly [number, number]): number[][] =>
    Array.from({ length: (H * W) / PATCH ** 2 }, (_, n) => {
      const [top, left] = [Math.floor(n / (W / PATCH)) * PATCH, (n % (W / PATCH)) * PATCH];
      const pixels = Array.from({ length: 3 * PATCH * PATCH }, (_, i) => {
        const [c, y, x] = [Math.floor(i / PATCH ** 2), Math.floor(i / PATCH) % PATCH, i % PATCH];
        return image[(c * H + top + y) * W + left + x]!;
      });
      return linear(name, pixels);
    });
  return { get, rows, product, linear, norm, convolution };
}

const linearly = (x: Row, one: (value: number, i: number) => number): number[] => x.map(one);
const add = (a: Row, b: Row): number[] => a.map((value, i) => value + b[i]!);
const times = (a: Row, b: ArrayLike<number>): number[] => a.map((value, i) => value * b[i]!);

/** Softmax of q k / sqrt(width of a head), head by head; `turn` is applied to queries and keys. */
function attend(
  q: readonly Row[],
  k: readonly Row[],
  v: readonly Row[],
  turn = (row: Row, _token: number): Row => row,
): Row[] {
  const d = D / HEADS;
  const cut = (row: Row, head: number): Row => row.slice(head * d, (head + 1) * d);
  return q.map((query, t) =>
    Array.from({ length: HEADS }, (_, head) => {
      const own = turn(cut(query, head), t);
      const scores = k.map((key, s) =>
        Math.exp(turn(cut(key, head), s).reduce((sum, value, i) => sum + value * own[i]!, 0) / Math.sqrt(d)),
      );
      const total = scores.reduce((a, b) => a + b);
      return own.map((_, i) => v.reduce((sum, value, s) => sum + (scores[s]! / total) * value[head * d + i]!, 0));
    }).flat(),
  );
}

/** By the series of the error function. */
const gelu = (x: number): number => {
  let [term, sum] = [x, x];
  for (let n = 1; n < 150; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return x * (0.5 + sum / Math.sqrt(2 * Math.PI));
};
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const quickGelu = (x: number): number => x / (1 + Math.exp(-1.702 * x));
const silu = (x: number): number => x / (1 + Math.exp(-x));

type Modules = ReturnType<typeof modules>;

/** `CLIPEncoder`, which SigLIP has too. */
function clipEncoder({ linear, norm }: Modules, tokens: readonly Row[], activation: (x: number) => number): Row[] {
  let x = [...tokens];
  for (let i = 0; i < DEPTH; i++) {
    const at = `encoder.layers.${i}`;
    const normed = x.map((row) => norm(`${at}.layer_norm1`, row));
    const [q, k, v] = ['q', 'k', 'v'].map((part) => normed.map((row) => linear(`${at}.self_attn.${part}_proj`, row)));
    const attended = attend(q!, k!, v!).map((row) => linear(`${at}.self_attn.out_proj`, row));
    x = x.map((row, t) => add(row, attended[t]!));
    const hidden = x.map((row) => linear(`${at}.mlp.fc1`, norm(`${at}.layer_norm2`, row)).map(activation));
    x = x.map((row, t) => add(row, linear(`${at}.mlp.fc2`, hidden[t]!)));
  }
  return x;
}

const clip =
  (activation: (x: number) => number) =>
  (w: Weights, image: ArrayLike<number>, size: readonly [number, number]): Output => {
    const m = modules(w, 'vision_model.', 1e-5);
    const embedded = [
      m.rows('embeddings.class_embedding')[0]!,
      ...m.convolution('embeddings.patch_embedding', image, size),
    ];
    const positions = m.rows('embeddings.position_embedding.weight');
    const tokens = embedded.map((row, t) => m.norm('pre_layrnorm', add(row, positions[t]!)));
    const last = clipEncoder(m, tokens, activation);
    // post_layernorm of the patches, too: what the note says
    const [cls, ...patches] = last.map((row) => m.norm('post_layernorm', row));
    return { cls: cls!, patches };
  };

function siglip(w: Weights, image: ArrayLike<number>, size: readonly [number, number]): Output {
  const m = modules(w, 'vision_model.', 1e-6);
  const positions = m.rows('embeddings.position_embedding.weight');
  const tokens = m.convolution('embeddings.patch_embedding', image, size).map((row, t) => add(row, positions[t]!));
  const patches = clipEncoder(m, tokens, geluTanh).map((row) => m.norm('post_layernorm', row));
  const [weight, bias] = [
    Array.from(m.get('head.attention.in_proj_weight')!),
    Array.from(m.get('head.attention.in_proj_bias')!),
  ];
  const projected = (part: number, row: Row) =>
    m.product(weight.slice(part * D * D, (part + 1) * D * D), bias.slice(part * D, (part + 1) * D), row);
  const [k, v] = [1, 2].map((part) => patches.map((row) => projected(part, row)));
  const [attended] = attend([projected(0, m.rows('head.probe')[0]!)], k!, v!);
  const residual = m.linear('head.attention.out_proj', attended!);
  const hidden = m.linear('head.mlp.fc1', m.norm('head.layernorm', residual)).map(geluTanh);
  return { cls: add(residual, m.linear('head.mlp.fc2', hidden)), patches };
}

const dinov3 =
  (gated: boolean) =>
  (w: Weights, image: ArrayLike<number>, [H, W]: readonly [number, number]): Output => {
    const m = modules(w, '', 1e-5);
    const first = [...m.rows('embeddings.cls_token'), ...m.rows('embeddings.register_tokens')];
    let x: Row[] = [...first, ...m.convolution('embeddings.patch_embeddings', image, [H, W])];
    const [h, columns, d] = [H / PATCH, W / PATCH, D / HEADS];
    const frequencies = Array.from({ length: d / 4 }, (_, i) => 100 ** ((-4 * i) / d));
    /** x cos + rotate_half(x) sin, its angles those of y, then those of x, twice over. */
    const turn = (row: Row, token: number): Row => {
      const n = token - first.length;
      if (n < 0) return row;
      const centre = [(2 * (Math.floor(n / columns) + 0.5)) / h - 1, (2 * ((n % columns) + 0.5)) / columns - 1];
      const half = centre.flatMap((coordinate) => frequencies.map((f) => 2 * Math.PI * coordinate * f));
      const angles = [...half, ...half];
      const rotated = [...row.slice(d / 2).map((value) => -value), ...row.slice(0, d / 2)];
      return row.map((value, i) => value * Math.cos(angles[i]!) + rotated[i]! * Math.sin(angles[i]!));
    };
    for (let i = 0; i < DEPTH; i++) {
      const at = `layer.${i}`;
      const normed = x.map((row) => m.norm(`${at}.norm1`, row));
      const [q, k, v] = ['q', 'k', 'v'].map((part) =>
        normed.map((row) => m.linear(`${at}.attention.${part}_proj`, row)),
      );
      const attended = attend(q!, k!, v!, turn).map((row) => m.linear(`${at}.attention.o_proj`, row));
      x = x.map((row, t) => add(row, times(attended[t]!, m.get(`${at}.layer_scale1.lambda1`)!)));
      x = x.map((row) => {
        const inner = m.norm(`${at}.norm2`, row);
        const up = m.linear(`${at}.mlp.up_proj`, inner);
        const hidden = gated ? times(m.linear(`${at}.mlp.gate_proj`, inner).map(silu), up) : up.map(gelu);
        return add(row, times(m.linear(`${at}.mlp.down_proj`, hidden), m.get(`${at}.layer_scale2.lambda1`)!));
      });
    }
    const normed = x.map((row) => m.norm('norm', row));
    return { cls: normed[0]!, patches: normed.slice(first.length) };
  };

function vitModel(w: Weights, image: ArrayLike<number>, size: readonly [number, number]): Output {
  const m = modules(w, 'vit.', 1e-12);
  const embedded = [
    ...m.rows('embeddings.cls_token'),
    ...m.convolution('embeddings.patch_embeddings.projection', image, size),
  ];
  const positions = m.rows('embeddings.position_embeddings');
  let x: Row[] = embedded.map((row, t) => add(row, positions[t]!));
  for (let i = 0; i < DEPTH; i++) {
    const at = `encoder.layer.${i}`;
    const normed = x.map((row) => m.norm(`${at}.layernorm_before`, row));
    const parts = ['query', 'key', 'value'].map((part) =>
      normed.map((row) => m.linear(`${at}.attention.attention.${part}`, row)),
    );
    const attended = attend(parts[0]!, parts[1]!, parts[2]!).map((row) =>
      m.linear(`${at}.attention.output.dense`, row),
    );
    x = x.map((row, t) => add(row, attended[t]!));
    x = x.map((row) => {
      const hidden = m.linear(`${at}.intermediate.dense`, m.norm(`${at}.layernorm_after`, row)).map(gelu);
      return add(row, m.linear(`${at}.output.dense`, hidden));
    });
  }
  const [cls, ...patches] = x.map((row) => m.norm('layernorm', row));
  return { cls: cls!, patches };
}

async function everything(file: WeightFile): Promise<Record<string, ArrayLike<number>>> {
  const values = [...file.tensors.keys()].map(async (name) => [name, await file.readFloat32(name)] as const);
  return Object.fromEntries(await Promise.all(values));
}

const imageOf = (size: readonly [number, number]): Float32Array =>
  Float32Array.from({ length: 3 * size[0] * size[1] }, (_, i) => Math.sin(0.37 * i + 0.001 * i * i));

test.each<readonly [FolderName, readonly [number, number], typeof siglip]>([
  ['clip', [24, 24], clip(quickGelu)],
  ['clipModel', [24, 24], clip(gelu)],
  ['siglip', [24, 24], siglip],
  ['dinov3', [16, 24], dinov3(false)],
  ['dinov3Gated', [24, 24], dinov3(true)],
  ['vit', [24, 24], vitModel],
])('%s computes what its class computes', async (name, size, reference) => {
  const file = fileOf(FOLDERS[name].shapes);
  const model = translateHuggingFace(file, FOLDERS[name].config);
  const image = imageOf(size);
  const expected = reference(new Map(Object.entries(await everything(file))), image, size);
  const specs = vitSpecs(model.config);
  const symbols: Record<string, Tensor> = Object.fromEntries(
    Object.entries(specs).map(([own, { shape }]) => [own, input(own, shape)]),
  );
  const out = vit(parametersOf(symbols), input('images', [1, 3, ...size]), model.config);
  const { value } = interpret([out.cls, out.patches], { ...(await everything(model)), images: image });
  // f64 against f64, some thousands of terms of about 1
  const close = (ours: ArrayLike<number>, theirs: Row) => {
    expect(ours.length).toBe(theirs.length);
    for (const [i, one] of theirs.entries()) expect(Math.abs(ours[i]! - one)).toBeLessThan(1e-10);
  };
  close(value(out.cls).data, expected.cls);
  close(value(out.patches).data, expected.patches.flat());
});

test('a translated model is loaded as the same weights under official names are, to the bit', async () => {
  const { config, shapes } = FOLDERS.dinov2Classifier;
  const model = translateHuggingFace(fileOf(shapes), config);
  const official = await everything(model);
  await using gpu = await openGpu();
  using translated = await loadVit(gpu, model);
  using given = await loadVit(gpu, { config: model.config, weights: (name) => official[name] });
  expect([translated.config, translated.assumed, translated.unused]).toEqual([model.config, [], []]);
  const images = { data: imageOf([24, 24]), shape: [1, 3, 24, 24] } as const;
  expect(await translated.run(images, { patches: true })).toEqual(await given.run(images, { patches: true }));
});
