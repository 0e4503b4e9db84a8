import { expect, test } from 'vitest';
import { chooseFiles } from './choose-files';

const choose = (paths: readonly string[], within?: string) => chooseFiles(paths, within, 'ada/vit');

test('one format of the weights, with what says how they are meant', () => {
  const dinov2 = ['.gitattributes', 'README.md', 'config.json', 'model.safetensors', 'preprocessor_config.json'];
  expect(choose([...dinov2, 'pytorch_model.bin', 'onnx/model.onnx'])).toEqual({
    files: ['model.safetensors', 'config.json', 'preprocessor_config.json'],
  });
  expect(choose(['config.json', 'pytorch_model.bin'])).toEqual({ files: ['pytorch_model.bin', 'config.json'] });
  expect(choose(['teacher.safetensors', 'model.safetensors', 'config.yaml']).files).toEqual([
    'teacher.safetensors',
    'config.yaml',
  ]);
});

test('weights in several files come with all of them, and with no others', () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const others = ['other-00001-of-00002.safetensors', 'model-00001-of-00002.bin.index.json'];
  const { files, weights } = choose([...shards, ...others, 'model.safetensors.index.json', 'config.json']);
  expect(files).toEqual(['model.safetensors.index.json', ...shards, 'config.json']);
  expect(weights).toBeUndefined();
});

test('the only file of weights is taken, else ONNX; the data beside a graph and the configuration above it come along', () => {
  expect(choose(['README.md', 'dinov2_vits14.pth'])).toEqual({
    files: ['dinov2_vits14.pth'],
    weights: 'dinov2_vits14.pth',
  });
  const graph = ['config.json', 'onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model_fp16.onnx'];
  expect(choose(graph)).toEqual({
    files: ['onnx/model.onnx', 'onnx/model.onnx_data', 'config.json'],
    weights: 'onnx/model.onnx',
  });
  expect(choose(graph, 'onnx/model_fp16.onnx')).toEqual({
    files: ['onnx/model_fp16.onnx', 'config.json'],
    weights: 'onnx/model_fp16.onnx',
  });
  expect(choose(['a/model.safetensors', 'a/config.json', 'b/model.safetensors'], 'a').files).toEqual([
    'a/model.safetensors',
    'a/config.json',
  ]);
});

test('no weights, or several of no usual name, are refused with what there is', () => {
  expect(() => choose(['README.md'])).toThrow(/hf:\/\/ada\/vit has none of teacher.safetensors.*; it has README.md/);
  expect(() => choose(['small.pth', 'large.pth'])).toThrow(
    /name one: hf:\/\/ada\/vit:small.pth, hf:\/\/ada\/vit:large.pth/,
  );
});
