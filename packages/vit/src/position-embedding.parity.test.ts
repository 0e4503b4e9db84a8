import { compile, type Gpu, grad, mul, sum } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { positionEmbedding } from './position-embedding';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

// |a - b| <= 1e-5 max|ref|
test.each(['pos_embed_interp_down', 'pos_embed_interp_up'])(
  '%s: every grid, offset and filter, with gradients',
  async (name) => {
    const file = parityFile(name);
    const table = file.names.find((key) => key.endsWith('.pos_embed'))!;
    const prefix = table.slice(0, -'.pos_embed'.length);
    for (const key of file.names.filter((candidate) => candidate.endsWith('.out'))) {
      const label = key.slice(0, -'.out'.length);
      const [, h, w, offset, filter] = label.match(/(\d+)x(\d+)\.off([\d.]+)\.(aa|noaa)$/)!;
      const options = { interpolateOffset: Number(offset), interpolateAntialias: filter === 'aa' };
      using step = await compile(
        gpu,
        (_, { pos, cot }) => {
          const out = positionEmbedding(pos, [Number(h), Number(w)], options);
          return { out: mul(out, 1), gradient: grad(sum(mul(out, cot)), [pos])[0]! };
        },
        { batch: { pos: { shape: file.shape(table), dtype: 'f32' }, cot: { shape: file.shape(key), dtype: 'f32' } } },
      );
      const cot = file.has(`${label}.cot`) ? file.floats(`${label}.cot`) : new Float32Array(file.floats(key).length);
      step.run({ pos: file.floats(`${prefix}.pos_embed`), cot });
      checkParity(file, `${label}.out`, await step.read('out'), file.floats(key), { ofMax: 1e-5 });
      if (file.has(`${label}.grad`))
        checkParity(file, `${label}.grad`, await step.read('gradient'), file.floats(`${label}.grad`), { ofMax: 1e-5 });
    }
  },
);
