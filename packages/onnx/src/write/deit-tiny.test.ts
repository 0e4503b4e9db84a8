/** The published DeiT-Tiny as ONNX: its golden tokens at 224 px, and those of the engine on a grid that is not the table's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '@franca/checkpoint';
import { openGpu } from '@franca/tensor/node';
import { configOf, weightsOf } from '@franca/vit';
import { expect, test } from 'vitest';
import { sharedData } from '../../../../test/support/shared';
import { byEngine, byOnnx, imagesOf, relativeError } from '../../test/models';
import { writeVitOnnx } from './write-vit-onnx';

const deit = sharedData('deit-tiny');

test.skipIf(!deit)('DeiT-Tiny as ONNX gives its tokens at two sizes (needs shared/data/deit-tiny)', async () => {
  await using file = await openSafetensors(join(deit!, 'deit_tiny_patch16_224.safetensors'));
  await using golden = await openSafetensors(join(deit!, 'golden.safetensors'));
  const source = { config: configOf(file).config, weights: weightsOf(file) };
  const shape = golden.tensors.get('input')!.shape as [number, number, number, number];
  const [own, other] = [{ data: await golden.readFloat32('input'), shape }, imagesOf(1, 64, 96)];
  const folder = await mkdtemp(join(tmpdir(), 'franca-deit-'));
  try {
    const path = join(folder, 'model.onnx');
    await writeVitOnnx(path, source, { precision: 'f32' });
    const [atOwn, atOther] = await byOnnx(path, [own, other]);
    // both sides are f32 through 12 blocks; the parity suite allows 2e-5 of the largest value through 3
    expect(relativeError(atOwn!.tokens, await golden.readFloat32('final_norm_tokens'))).toBeLessThan(1e-4);
    await using gpu = await openGpu();
    const [expected] = await byEngine(gpu, source, [other]);
    expect(relativeError(atOther!.cls, expected!.cls)).toBeLessThan(1e-4);
    expect(relativeError(atOther!.patches, expected!.patches)).toBeLessThan(1e-4);
  } finally {
    await rm(folder, { recursive: true });
  }
});
