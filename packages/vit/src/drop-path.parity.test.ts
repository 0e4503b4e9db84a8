import { type Parameters, parametersOf } from '@franca/nn';
import { add, compile, concat, type Gpu, grad, mul, reshape, type Spec, sum, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, test } from 'vitest';
import { checkParity, parityFile } from '../../../test/support/parity';
import { type BlockConfig, block, type KeptSamples } from './block';
import { keptRows } from './kept-rows';
import { splitSegments } from './vit-in-one-pass';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** The block on the tokens of all lists at once. */
function together(
  p: Parameters,
  lists: readonly { readonly x: Tensor; readonly kept: KeptSamples }[],
  config: BlockConfig,
): Tensor[] {
  const segments = lists.map(({ x: { shape } }) => ({ B: shape[0]!, N: shape[1]! }));
  const D = lists[0]!.x.shape[2]!;
  const rows = concat(lists.map(({ x }) => reshape(x, [-1, D])));
  const { kept, segments: seen } = keptRows(segments)(lists.map((list) => list.kept))!;
  return splitSegments(block(p, rows, config, kept, { segments: seen }).x, segments);
}

test.each([
  ['list by list', false],
  ['both lists in one pass', true],
])('extra_drop_path: both branches on their kept samples, forward and gradients, %s', async (_, inOnePass) => {
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
      const lists = ['g', 'l'].map((which) => ({
        x: t[`x${which}`]!,
        kept: { attention: t[`kept.attn.${which}`]!, ffn: t[`kept.ffn.${which}`]! },
      }));
      const alone = lists.map(({ x, kept }) => block(parametersOf(t), x, config, kept).x);
      const [yg, yl] = (inOnePass ? together(parametersOf(t), lists, config) : alone) as [Tensor, Tensor];
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
