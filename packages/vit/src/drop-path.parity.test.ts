import { parametersOf } from '@franca/nn';
import { add, compile, type Gpu, grad, mul, type Spec, sum, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { block } from './block';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

test('extra_drop_path: both branches on their kept samples, forward and gradients', async () => {
  const file = parityFile('extra_drop_path');
  const weights = file.withPrefix('w.');
  const floats = ['xg', 'xl', 'cot_g', 'cot_l'];
  const kept = ['attn.g', 'attn.l', 'ffn.g', 'ffn.l'].map((name) => `kept.${name}`);
  const specs: Record<string, Spec> = {
    ...Object.fromEntries([...weights].map(([name, { shape }]) => [name, { shape, dtype: 'f32' as const }])),
    ...Object.fromEntries(floats.map((name) => [name, { shape: file.shape(name), dtype: 'f32' as const }])),
    ...Object.fromEntries(kept.map((name) => [name, { shape: file.shape(name), dtype: 'u32' as const }])),
  };
  const config = { numHeads: file.config.heads, ffnLayer: 'mlp', layerScale: 1 } as const;
  using step = await compile(
    gpu,
    (_, t: Record<string, Tensor>) => {
      const run = (x: Tensor, which: string) =>
        block(parametersOf(t), x, config, { attention: t[`kept.attn.${which}`]!, ffn: t[`kept.ffn.${which}`]! }).x;
      const [yg, yl] = [run(t.xg!, 'g'), run(t.xl!, 'l')];
      const loss = add(sum(mul(yg, t.cot_g!)), sum(mul(yl, t.cot_l!)));
      const wrt = Object.fromEntries([...weights.keys(), 'xg', 'xl'].map((name) => [name, t[name]!]));
      return { yg, yl, grads: Object.values(grad(loss, wrt)) };
    },
    { batch: specs },
  );
  step.run({
    ...Object.fromEntries([...weights].map(([name, { data }]) => [name, data])),
    ...Object.fromEntries(floats.map((name) => [name, file.floats(name)])),
    ...Object.fromEntries(kept.map((name) => [name, file.ints(name)])),
  });
  for (const name of ['yg', 'yl'] as const)
    checkParity(file, name, await step.read(name), file.floats(name), { ofMax: 2e-5 });
  for (const [i, name] of [...weights.keys(), 'xg', 'xl'].entries()) {
    checkParity(
      file,
      `gradient of ${name}`,
      await step.read(`grads.${i}`),
      file.floats(name.startsWith('x') ? `g${name}` : `g.${name}`),
      { ofMax: 5e-5 },
    );
  }
});
