/**
 * npm run onnx-precisions --workspace bench [-- --images <n>] [--shared <folder>]
 *
 * Writes the published DeiT-Tiny as ONNX in every precision and says how far what onnxruntime makes of photographs at 224 px is from what the engine makes of
 * them: cosine of CLS, of each photograph by itself. Weights and photographs lie in `shared/data` beside the checkout.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '@franca/checkpoint';
import { decodeImage, PREPROCESS_224, preprocess } from '@franca/data';
import { writeVitOnnx } from '@franca/onnx';
import { openGpu } from '@franca/tensor/node';
import { configOf, type ImageBatch, loadVit, weightsOf } from '@franca/vit';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: '100' },
    shared: { type: 'string', default: process.env.FRANCA_SHARED ?? resolve(root, '../shared') },
  },
});
const data = join(resolve(options.shared), 'data');

async function photographs(count: number): Promise<ImageBatch[]> {
  const folder = join(data, 'imagenette-128/val');
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.jpe?g$/i.test(name)).sort();
  const step = Math.floor(names.length / count);
  const images: ImageBatch[] = [];
  for (let i = 0; i < count; i++)
    images.push(preprocess(await decodeImage(await readFile(join(folder, names[i * step]!))), PREPROCESS_224));
  return images;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const images = await photographs(Number(options.images));
await using gpu = await openGpu();
await using file = await openCheckpoint(join(data, 'deit-tiny/deit_tiny_patch16_224.safetensors'));
const expected: Float32Array[] = [];
{
  using model = await loadVit(gpu, file);
  for (const image of images) expected.push((await model.run(image)).cls);
}
const folder = await mkdtemp(join(tmpdir(), 'onnx-precisions-'));
for (const precision of ['f32', 'f16', 'q8'] as const) {
  const path = join(folder, `${precision}.onnx`);
  const source = { config: configOf(file).config, weights: weightsOf(file) };
  const { bytes } = await writeVitOnnx(path, source, { precision });
  const session = await InferenceSession.create(path);
  const cosines: number[] = [];
  for (const [i, { data: pixels, shape }] of images.entries()) {
    const { pooler_output } = await session.run({ pixel_values: new Tensor('float32', pixels, shape) });
    cosines.push(cosine(pooler_output!.data as Float32Array, expected[i]!));
  }
  await session.release();
  const mean = cosines.reduce((a, b) => a + b) / cosines.length;
  console.log(
    `${precision}: ${(bytes / 1e6).toFixed(1)} MB, cosine ${mean.toFixed(7)}, least ${Math.min(...cosines).toFixed(7)}`,
  );
}
await rm(folder, { recursive: true });
