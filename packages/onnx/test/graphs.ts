/**
 * Small ONNX files whose numbers are worked out beside them: one convolution cuts patches of 4 pixels into maps of 3 channels, and outputs are made of these.
 * Their mean m is what vectors and the tokens before the patches are: token k is (k + 2) m.
 */
import { writeFile } from 'node:fs/promises';
import type { ImageBatch } from '@franca/vit';
import { castTo, type GraphBuilder, graphBuilder } from '../src/write/graph-builder';
import { DATA_TYPES, encodeModel, type ValueMessage } from '../src/write/onnx-messages';
import { tensorMessage } from '../src/write/tensor-message';

const PATCH = 4;
const WIDTH = 3;

export interface NetOutput {
  readonly name: string;
  /** `tanh`: that of m. */
  readonly kind: 'maps' | 'tokens' | 'vector' | 'tanh';
  /** Tokens before the patches. */
  readonly prefix?: number;
}

export interface NetOptions {
  /** Extents of the input; default all but the channels free. */
  readonly dims?: readonly (number | string)[];
  readonly type?: 'f32' | 'f16';
  /** Runs at this many patches alone, as with a table of positions. */
  readonly places?: number;
  readonly moreInputs?: readonly string[];
}

const KERNEL = Float32Array.from({ length: WIDTH * 3 * PATCH * PATCH }, (_, i) => 10 * Math.sin(i + 1));

export async function writeNet(path: string, outputs: readonly NetOutput[], options: NetOptions = {}): Promise<string> {
  const { dims = ['batch', 3, 'height', 'width'], type = 'f32', places, moreInputs = [] } = options;
  const g = graphBuilder({}, 'f32');
  const kernel = g.initializer({
    name: 'kernel',
    type: 'f32',
    dims: [WIDTH, 3, PATCH, PATCH],
    values: async () => KERNEL,
  });
  const image = type === 'f16' ? g.add('Cast', ['image'], castTo('f32')) : 'image';
  const maps = g.add('Conv', [image, kernel], { kernel_shape: [PATCH, PATCH], strides: [PATCH, PATCH] });
  for (const output of outputs) {
    const value = outputOf(g, maps, output, places);
    g.output(output.name, type === 'f16' ? g.add('Cast', [value], castTo('f16')) : value);
  }
  const initializer = await Promise.all(g.initializers.map((each) => tensorMessage(each, async () => [])));
  const bytes = encodeModel({
    irVersion: 8,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 18 }],
    graph: {
      name: 'net',
      node: g.nodes,
      initializer,
      input: [declared('image', dims, type), ...moreInputs.map((name) => declared(name, ['n'], 'f32'))],
      output: outputs.map(({ name, kind }) => declared(name, FREE[kind], type)),
    },
    metadataProps: [],
  });
  await writeFile(path, bytes);
  return path;
}

const FREE: Readonly<Record<NetOutput['kind'], readonly string[]>> = {
  maps: ['batch', 'd', 'rows', 'columns'],
  tokens: ['batch', 'tokens', 'd'],
  vector: ['batch', 'd'],
  tanh: ['batch', 'd'],
};

function outputOf(g: GraphBuilder, maps: string, { kind, prefix = 0 }: NetOutput, places: number | undefined): string {
  if (kind === 'maps') return maps;
  const flat = g.add('Reshape', [maps, g.whole([0, WIDTH, -1])]);
  const mean = g.add('ReduceMean', [flat, g.whole([2])], { keepdims: 0 });
  if (kind === 'vector') return mean;
  if (kind === 'tanh') return g.add('Tanh', [mean]);
  const patches = g.add('Transpose', [flat], { perm: [0, 2, 1] });
  const token = g.add('Reshape', [mean, g.whole([0, 1, WIDTH])]);
  const before = Array.from({ length: prefix }, (_, k) => g.add('Mul', [token, g.real(k + 2)]));
  const tokens = prefix > 0 ? g.add('Concat', [...before, patches], { axis: 1 }) : patches;
  if (places === undefined) return tokens;
  return g.add('Add', [tokens, g.add('ConstantOfShape', [g.whole([1, places + prefix, 1])])]);
}

const declared = (name: string, dims: readonly (number | string)[], type: 'f32' | 'f16'): ValueMessage => ({
  name,
  type: {
    tensorType: {
      elemType: DATA_TYPES[type],
      shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});

export interface NetNumbers {
  /** [B, N, 3]. */
  readonly patches: readonly number[];
  /** m [B, 3]. */
  readonly mean: readonly number[];
}

/** The same in f64; `pixel`: what the net sees of a value of a channel. */
export function netNumbers(
  { data, shape: [B, , H, W] }: ImageBatch,
  pixel: (value: number, channel: number) => number = (value) => value,
): NetNumbers {
  const [rows, columns] = [H / PATCH, W / PATCH];
  const patches: number[] = [];
  const mean = new Array<number>(B * WIDTH).fill(0);
  for (let b = 0; b < B; b++)
    for (let n = 0; n < rows * columns; n++)
      for (let d = 0; d < WIDTH; d++) {
        let sum = 0;
        for (let c = 0; c < 3; c++)
          for (let y = 0; y < PATCH; y++)
            for (let x = 0; x < PATCH; x++) {
              const [row, column] = [Math.floor(n / columns) * PATCH + y, (n % columns) * PATCH + x];
              const value = pixel(data[((b * 3 + c) * H + row) * W + column]!, c);
              sum += value * KERNEL[((d * 3 + c) * PATCH + y) * PATCH + x]!;
            }
        patches.push(sum);
        mean[b * WIDTH + d]! += sum / (rows * columns);
      }
  return { patches, mean };
}
