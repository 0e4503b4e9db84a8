/** What only plain JavaScript lets through: no op answers a value that is no tensor with a `TypeError` of the engine's insides. */
import { expect, test } from 'vitest';
import { TensorError } from '../base/errors';
import { compile } from '../compile';
import type { Gpu } from '../device/gpu';
import { createState } from '../device/state';
import * as api from '../index';

const functions: Readonly<Record<string, unknown>> = { ...api };

/** Functions that take tensors. */
const OPS = [
  ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'neg', 'abs', 'exp', 'log', 'sqrt', 'square', 'relu', 'gelu'],
  ...[
    'clamp',
    'select',
    'cast',
    'equal',
    'less',
    'matmul',
    'attention',
    'segmentAttention',
    'scaledDotProductAttention',
  ],
  ...[
    'softmax',
    'logSumExp',
    'layerNorm',
    'l2Normalise',
    'weightNorm',
    'topK',
    'argmax',
    'softCrossEntropy',
    'sum',
    'mean',
    'max',
  ],
  ...[
    'reshape',
    'transpose',
    'slice',
    'sliceAxis',
    'pad',
    'concat',
    'gatherRows',
    'segmentRows',
    'oneHot',
    'patchify',
    'conv2d',
    'broadcastTo',
  ],
  ...[
    'resample',
    'resize',
    'rowPositions',
    'scatterAddRows',
    'randomUniform',
    'grad',
    'valueAndGrad',
    'stopGradient',
    'keptCast',
    'assign',
    'store',
    'gatedSilu',
  ],
  ...['allReduce', 'allGather', 'reduceScatter', 'allReduceWindows'],
] as const satisfies readonly (keyof typeof api)[];

test.each(OPS)('%s names an argument that is no tensor', (name) => {
  const op = functions[name] as (...args: unknown[]) => unknown;
  for (const args of [
    [],
    [new Float32Array(4), new Float32Array(4), 1],
    [{ shape: [2], dtype: 'f32' }, 3],
    [null, null],
  ])
    expect(() => op(...args)).toThrow(TensorError);
});

test('the message says what came instead, and how values get into a step', () => {
  expect(() => api.gelu(new Float32Array(4) as never)).toThrow(
    /^gelu: got an object \(Float32Array\) where a tensor is needed; values go into a step as an input .*\n {4}at .*wrong-calls\.test\.ts/,
  );
  expect(() => api.reshape(api.constant([1], [1]), 1 as never)).toThrow(/reshape: shape is 1; give a list/);
});

test('a step, a state and a device that are none are named', async () => {
  await expect(compile(undefined as unknown as Gpu, () => ({}))).rejects.toThrow(/the device is undefined; openGpu/);
  await expect(compile({} as Gpu, {} as never)).rejects.toThrow(/step is no function but object/);
  await expect(compile({} as Gpu, () => ({}), { metric_rows: 3 } as object)).rejects.toThrow(
    /there is no option "metric_rows", it is called metricRows/,
  );
  expect(() => createState(null as unknown as Gpu, {})).toThrow(/the device is null/);
});
