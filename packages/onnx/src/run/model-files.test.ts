import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TINY, tinyModel } from '../../test/models';
import { OnnxError } from '../errors';
import { writeVitOnnx } from '../write/write-vit-onnx';
import { filesOfOnnx } from './model-files';

test('the model, and the data beside it that its tensors name; a place outside its folder is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'franca-onnx-files-'));
  try {
    const { finalLayer: _, ...model } = tinyModel(TINY);
    const [whole, parts, forged, text] = ['whole', 'parts', 'forged', 'text'].map((name) => join(folder, `${name}.onnx`));
    await writeVitOnnx(whole!, model, { precision: 'f32' });
    expect(await filesOfOnnx(whole!)).toEqual([whole]);
    await writeVitOnnx(parts!, model, { precision: 'f32', externalFrom: 0 });
    expect(await filesOfOnnx(parts!)).toEqual([parts, `${parts}_data`]);
    // a name of the same length that leads out
    const bytes = (await readFile(parts!)).toString('latin1').replaceAll('parts.onnx_data', '../so.onnx_data');
    await writeFile(forged!, bytes, 'latin1');
    await expect(filesOfOnnx(forged!)).rejects.toThrow(/keeps tensors in \.\.\/so\.onnx_data, outside its own folder/);
    await writeFile(text!, 'no model, but text');
    await expect(filesOfOnnx(text!)).rejects.toThrow(OnnxError);
    await expect(filesOfOnnx(join(folder, 'absent.onnx'))).rejects.toThrow(/absent\.onnx cannot be read \(ENOENT\)/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
