import {
  compile,
  type Gpu,
  gelu,
  grad,
  l2Normalise,
  layerNorm,
  logSoftmax,
  mul,
  silu,
  softmax,
  sum,
  type Tensor,
} from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, test } from 'vitest';
import { checkParity, type ParityFile, parityFile } from '../../../test/support/parity';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

/** Runs `fn` on stored tensors and returns its outputs by name. */
async function run(
  file: ParityFile,
  names: readonly string[],
  fn: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
): Promise<Record<string, Float32Array>> {
  const batch = Object.fromEntries(names.map((name) => [name, { shape: file.shape(name), dtype: 'f32' as const }]));
  using step = await compile(gpu, (_, inputs) => fn(inputs), { batch });
  step.run(Object.fromEntries(names.map((name) => [name, file.floats(name)])));
  const outputs = Object.keys(step.plan.outputs);
  return Object.fromEntries(
    await Promise.all(outputs.map(async (name) => [name, Float32Array.from(await step.read(name))] as const)),
  );
}

const file = parityFile('extra_ops');

test('extra_ops: layer norm of rows of very different scale', async () => {
  const names = ['x', 'weight', 'bias', 'cot'].map((name) => `layer_norm.${name}`);
  const { y, x, weight, bias } = await run(file, names, (t) => {
    const out = layerNorm(
      t['layer_norm.x']!,
      t['layer_norm.weight']!,
      t['layer_norm.bias']!,
      file.config.layer_norm_eps,
    );
    const [gx, gw, gb] = grad(sum(mul(out, t['layer_norm.cot']!)), [
      t['layer_norm.x']!,
      t['layer_norm.weight']!,
      t['layer_norm.bias']!,
    ]);
    return { y: out, x: gx!, weight: gw!, bias: gb! };
  });
  const scale = file.floats('layer_norm.row_scale');
  const columns = file.shape('layer_norm.x')[1]!;
  checkParity(file, 'layer_norm.y', y!, file.floats('layer_norm.y'), { ofMax: 1e-5 });
  checkParity(
    file,
    'layer_norm.gx',
    x!.map((value, i) => value * scale[Math.floor(i / columns)]!),
    file.floats('layer_norm.gx_times_row_scale'),
    { ofMax: 2e-5 },
  );
  checkParity(file, 'layer_norm.gweight', weight!, file.floats('layer_norm.gweight'), { ofMax: 2e-5 });
  checkParity(file, 'layer_norm.gbias', bias!, file.floats('layer_norm.gbias'), { ofMax: 2e-5 });
});

test.each(Object.entries({ gelu, silu }))('extra_ops: %s and its slope', async (name, activation) => {
  const { y, slope } = await run(file, [`${name}.x`], (t) => {
    const out = activation(t[`${name}.x`]!);
    return { y: out, slope: grad(sum(out), [t[`${name}.x`]!])[0]! };
  });
  // 2e-6 absolute for |x| <= 8, 1e-6 relative beyond
  const x = file.floats(`${name}.x`);
  for (const [what, actual] of [
    ['y', y!],
    ['dydx', slope!],
  ] as const) {
    const expected = file.floats(`${name}.${what}`);
    const pick = (values: Float32Array, inner: boolean) => values.filter((_, i) => Math.abs(x[i]!) <= 8 === inner);
    checkParity(file, `${name}.${what}, |x| <= 8`, pick(actual, true), pick(expected, true), { absolute: 2e-6 });
    checkParity(file, `${name}.${what}, |x| > 8`, pick(actual, false), pick(expected, false), {
      relative: 1e-6,
      absolute: 1e-9,
    });
  }
});

test('extra_ops: softmax of large logits, L2 normalisation near zero', async () => {
  const out = await run(file, ['softmax.x', 'softmax.cot', 'l2_normalize.x'], (t) => {
    const y = softmax(t['softmax.x']!);
    return {
      y,
      gx: grad(sum(mul(y, t['softmax.cot']!)), [t['softmax.x']!])[0]!,
      log: logSoftmax(t['softmax.x']!),
      unit: l2Normalise(t['l2_normalize.x']!, file.config.normalize_eps),
    };
  });
  checkParity(file, 'softmax.y', out.y!, file.floats('softmax.y'), { absolute: 2e-6 });
  checkParity(file, 'softmax.gx', out.gx!, file.floats('softmax.gx'), { absolute: 2e-6 });
  checkParity(file, 'log_softmax.y', out.log!, file.floats('log_softmax.y'), { ofMax: 1e-6 });
  checkParity(file, 'l2_normalize.y', out.unit!, file.floats('l2_normalize.y'), { absolute: 1e-6 });
});
