import { initialValues, parametersOf } from '@franca/nn';
import { add, compile, type Gpu, grad, mul, type Spec, sum, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { normals } from '@franca/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vitConfig } from './config';
import { vitSpecs } from './specs';
import { type VitOptions, vit } from './vit';
import { vitInOnePass } from './vit-in-one-pass';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

// heads of 16 take the fused kernels; tokens of both lists, 18 and 8 an image, begin where no view can
const config = vitConfig('tiny', {
  embedDim: 32,
  depth: 2,
  numHeads: 2,
  imgSize: 28,
  patchSize: 7,
  numRegisterTokens: 1,
  layerScale: 0.5,
});
const parameters = vitSpecs(config, 0.2);
const weights = Object.fromEntries(
  Object.entries(parameters).map(([name, spec], i) => [name, initialValues(`${name}${i}`, spec, 3)]),
);
const specs: Record<string, Spec> = {
  ...Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => [name, { shape, dtype: 'f32' as const }]),
  ),
  large: { shape: [3, 3, 28, 28], dtype: 'f32' },
  small: { shape: [5, 3, 14, 21], dtype: 'f32' },
  masks: { shape: [3, 16], dtype: 'u32' },
  largeKept: { shape: [2], dtype: 'u32' },
  smallKept: { shape: [4], dtype: 'u32' },
  otherKept: { shape: [2], dtype: 'u32' },
  largeScales: { shape: [2], dtype: 'f32' },
  smallScales: { shape: [4], dtype: 'f32' },
};
const values = {
  ...weights,
  large: normals(3 * 3 * 28 * 28, 1),
  small: normals(5 * 3 * 14 * 21, 2),
  masks: Uint32Array.from({ length: 3 * 16 }, (_, i) => Number(i % 5 === 0)),
  largeKept: [0, 2],
  smallKept: [1, 2, 3, 4],
  otherKept: [0, 1],
  largeScales: [1.5, 0],
  smallScales: [1.25, 0, 1.25, 1.25],
};

type Batch = Record<string, Tensor>;
type Kept = NonNullable<VitOptions['kept']>;
const nothing = (): Kept => [undefined, undefined];
const subsets = ({ largeKept, smallKept, otherKept }: Batch): Record<'large' | 'small', Kept> => ({
  large: [undefined, { attention: largeKept!, ffn: otherKept! }],
  small: [undefined, { attention: smallKept!, ffn: smallKept! }],
});
const scaled = (batch: Batch): Record<'large' | 'small', Kept> => {
  const own = (name: 'large' | 'small'): Kept => {
    const scales = batch[`${name}Scales`]!;
    return subsets(batch)[name].map((kept) => kept && { ...kept, scales: { attention: scales, ffn: scales } });
  };
  return { large: own('large'), small: own('small') };
};

/** CLS of both lists, patches of the first, and the gradient of every parameter. */
async function run(
  inOnePass: boolean,
  keptOf: (batch: Batch) => Record<'large' | 'small', Kept>,
  remat = false,
): Promise<Record<string, Float32Array>> {
  using step = await compile(
    gpu,
    (_, batch: Batch): Record<string, Tensor> => {
      const [p, kept] = [parametersOf(batch), keptOf(batch)];
      const lists = [
        { images: batch.large!, masks: batch.masks!, kept: kept.large },
        { images: batch.small!, kept: kept.small },
      ];
      const [large, small] = inOnePass
        ? vitInOnePass(p, lists, config, { remat })
        : lists.map(({ images, ...own }) => vit(p, images, config, { ...own, remat }));
      const [cls, patches, others] = [large!.cls, large!.patches, small!.cls];
      const loss = [cls, patches, others].map((x) => sum(mul(x, mul(x, x)))).reduce((a, b) => add(a, b));
      const wrt = Object.fromEntries(Object.keys(parameters).map((name) => [name, batch[name]!]));
      return { cls, patches, others, registers: small!.registers, ...grad(loss, wrt) };
    },
    { batch: specs },
  );
  const outputs: Record<string, Float32Array> = {};
  step.run(values);
  const names = ['cls', 'patches', 'others', 'registers', ...Object.keys(parameters)];
  for (const name of names) outputs[name] = (await step.read(name)) as Float32Array;
  step.run(values);
  for (const name of names) expect(await step.read(name)).toEqual(outputs[name]);
  return outputs;
}

describe.each([
  ['all images in every block', () => ({ large: nothing(), small: nothing() }), false],
  ['kept images of each list', subsets, false],
  ['kept images of each list, blocks computed again', subsets, true],
  ['kept images with scales of their own', scaled, false],
] as const)('%s', (_, keptOf, remat) => {
  test('one pass gives what a pass for each list gives, and its gradients, every time the same bits', async () => {
    const [one, two] = [await run(true, keptOf, remat), await run(false, keptOf, remat)];
    for (const [name, expected] of Object.entries(two)) {
      const size = Math.max(...expected.map(Math.abs));
      const apart = Math.max(...expected.map((value, i) => Math.abs(value - one[name]![i]!)));
      // sums of f32 in another order: of a few hundred terms, each rounded by 6e-8; gradients that cancel to nothing have 1e-6 of them
      expect(apart, name).toBeLessThan(1e-5 * size + 1e-6);
    }
  });
});

test('lists of which only some drop images are refused', () => {
  const inputs = (batch: Batch) => {
    const lists = [{ images: batch.large!, kept: subsets(batch).large }, { images: batch.small! }];
    return vitInOnePass(parametersOf(batch), lists, config)[0]!.cls;
  };
  return expect(compile(gpu, (_, batch: Batch) => inputs(batch), { batch: specs })).rejects.toThrow(
    /keeps samples of some images only/,
  );
});
