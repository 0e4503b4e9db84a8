/** What transformers.js makes of a folder with an ONNX file in it, without a network. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AutoModel, env, Tensor } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { byOnnx, imagesOf, TINY, tinyModel } from '../../test/models';
import { writeVitOnnx } from './write-vit-onnx';

test('transformers.js loads the folder of a model offline and gives the same tokens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-transformers-'));
  await mkdir(join(folder, 'onnx'));
  const path = join(folder, 'onnx', 'model.onnx');
  await writeVitOnnx(path, tinyModel({ ...TINY, numRegisterTokens: 1 }), { precision: 'f32' });
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ model_type: 'dinov2', hidden_size: 24, patch_size: 5 }),
  );
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const model = await AutoModel.from_pretrained(basename(folder), { local_files_only: true, dtype: 'fp32' });
  try {
    const images = imagesOf(2, 15, 25);
    const outputs = await model({ pixel_values: new Tensor('float32', images.data, [...images.shape]) });
    const [expected] = await byOnnx(path, [images]);
    expect(outputs.last_hidden_state.dims).toEqual([2, 2 + 15, 24]);
    // the same runtime, on more threads, which may share sums out differently
    const found = outputs.last_hidden_state.data as Float32Array;
    for (const [i, value] of expected!.tokens.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-5);
    expect(outputs.patch_tokens.dims).toEqual([2, 15, 24]);
  } finally {
    await model.dispose();
    await rm(folder, { recursive: true });
  }
});
