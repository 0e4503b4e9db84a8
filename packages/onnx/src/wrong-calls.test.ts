/** Calls that plain JavaScript makes and no compiler sees: each is refused by name, with the way out, before a file is opened. */
import { expect, test } from 'vitest';
import { OnnxError } from './errors';
import * as onnx from './index';

/** The function as plain JavaScript sees it. */
const openOnnx = onnx.openOnnx as (...given: readonly unknown[]) => Promise<unknown>;

test.each<[string, readonly unknown[], RegExp]>([
  ['no path', [], /^openOnnx: takes the path of an ONNX file; undefined was given$/],
  ['an empty path', [''], /an empty text was given/],
  ['bytes', [new Uint8Array(4)], /takes the path of an ONNX file; object was given/],
  ['an option of Python', ['a.onnx', { patch_size: 14 }], /no option "patch_size", it is called patchSize/],
  ['options that are none', ['a.onnx', 14], /options are .*; give an object/],
  ['a number in quotes', ['a.onnx', { patchSize: '14' }], /patchSize is "14"; it must be a number/],
  ['a side of none', ['a.onnx', { side: 0 }], /side is 0; it must be a whole number of at least 1/],
  ['an output that is none', ['a.onnx', { outputs: { patch: 'x' } }], /no option "patch".*cls, patches/],
  ['outputs as a text', ['a.onnx', { outputs: 'x' }], /outputs is "x"; it must be/],
  ['pixels of one channel', ['a.onnx', { pixels: { scale: [1], shift: [0] } }], /scale and a shift of three channels/],
  ['a provider that is no name', ['a.onnx', { provider: 1 }], /provider is 1; it must be/],
])('openOnnx: %s', async (_, given, said) => {
  const error = await openOnnx(...given).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OnnxError);
  expect([(error as OnnxError).code, (error as OnnxError).message]).toEqual(['options', expect.stringMatching(said)]);
});
