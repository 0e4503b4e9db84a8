import { parametersOf } from '@franca/nn';
import { add, compile, type Gpu, grad, mul, type Spec, sum, type Tensor, type TensorTree } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { checkParity, type ParityFile, parityFile } from '../../../test/support/parity';
import type { VitConfig } from './config';
import { normIntermediate, splitTokens } from './token-parts';
import { clsAttention, type VitOutput, vit } from './vit';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

const flat = (name: string) => name.replace(/^blocks\.\d+\.(\d+\.)/, 'blocks.$1');
const f32 = (shape: readonly number[]): Spec => ({ shape, dtype: 'f32' });

function configOf({ config: c }: ParityFile): VitConfig {
  return {
    embedDim: c.embed_dim,
    depth: c.depth,
    numHeads: c.num_heads,
    imgSize: c.img_size,
    patchSize: c.patch_size,
    mlpRatio: c.mlp_ratio,
    ffnLayer: c.ffn_layer === 'mlp' ? 'mlp' : 'swiglu',
    numRegisterTokens: c.num_register_tokens,
    layerScale: 1e-5,
    interpolateOffset: c.interpolate_offset,
    interpolateAntialias: c.interpolate_antialias,
  };
}

describe.each(['vit_mlp', 'vit_swiglu', 'extra_vit_registers'])('%s', (name) => {
  const file = parityFile(name);
  const config = configOf(file);
  const weights = new Map([...file.withPrefix('w.')].map(([key, value]) => [flat(key), value]));
  const weightSpecs = Object.fromEntries([...weights].map(([key, { shape }]) => [key, f32(shape)]));
  const weightValues = Object.fromEntries([...weights].map(([key, { data }]) => [key, data]));
  const stored = (key: string) => ({ spec: f32(file.shape(key)), values: file.floats(key) });

  /** Compares the parts of an output that the file stores under `label`. */
  async function compare(
    label: string,
    read: (path: string) => Promise<ArrayLike<number> | undefined>,
    parts: readonly string[],
  ) {
    for (const part of parts) {
      if (!file.has(`${label}.${part}`)) continue;
      checkParity(file, `${label}.${part}`, (await read(part))!, file.floats(`${label}.${part}`), { ofMax: 2e-5 });
    }
  }
  const parts = (out: VitOutput): Record<string, Tensor> => ({
    cls: out.cls,
    patch: out.patches,
    prenorm: out.prenorm,
    ...(config.numRegisterTokens > 0 ? { reg: out.registers } : {}),
    attn_cls: clsAttention(out.qkv, config),
  });

  test.each(['native', 'big', 'small', 'rect'])('forward: %s', async (label) => {
    const inputs = { images: stored(`${label}.x`) };
    const specs = { ...weightSpecs, images: inputs.images.spec };
    using step = await compile(
      gpu,
      (_, batch: Record<string, Tensor>) => parts(vit(parametersOf(batch), batch.images!, config)),
      { batch: specs },
    );
    step.run({ ...weightValues, images: inputs.images.values });
    await compare(label, (path) => step.read(path), ['cls', 'patch', 'prenorm', 'reg', 'attn_cls']);
  });

  test('forward and gradients with masked patches', async () => {
    await checkGradients('masked', 'native.x', 'masked.mask');
  });
  test('gradients through the resampled position table', async () => {
    await checkGradients('small', 'small.x');
  });
  test('rematerialised blocks give the same gradients', async () => {
    await checkGradients('masked', 'native.x', 'masked.mask', true);
  });

  async function checkGradients(label: string, images: string, mask?: string, remat = false) {
    const inputs: Record<string, { spec: Spec; values: ArrayLike<number> }> = {
      images: stored(images),
      cotCls: stored(`${label}.cot_cls`),
      cotPatch: stored(`${label}.cot_patch`),
    };
    if (mask) inputs.masks = { spec: { shape: file.shape(mask), dtype: 'u32' }, values: file.ints(mask) };
    const specs = Object.fromEntries(Object.entries(inputs).map(([key, { spec }]) => [key, spec]));
    using step = await compile(
      gpu,
      (_, batch: Record<string, Tensor>): TensorTree => {
        const out = vit(parametersOf(batch), batch.images!, config, {
          remat,
          ...(batch.masks ? { masks: batch.masks } : {}),
        });
        const loss = add(sum(mul(out.cls, batch.cotCls!)), sum(mul(out.patches, batch.cotPatch!)));
        const wrt = Object.fromEntries([...Object.keys(weightSpecs), 'images'].map((key) => [key, batch[key]!]));
        return { ...parts(out), loss, grads: Object.values(grad(loss, wrt)) };
      },
      { batch: { ...weightSpecs, ...specs } },
    );
    step.run({
      ...weightValues,
      ...Object.fromEntries(Object.entries(inputs).map(([key, { values }]) => [key, values])),
    });
    await compare(label, (path) => step.read(path), ['cls', 'patch', 'prenorm', 'reg', 'attn_cls']);
    checkParity(file, `${label}.loss`, await step.read('loss'), file.floats(`${label}.loss`), {
      relative: 2e-5,
      absolute: 2e-5,
    });
    const expected = new Map([...file.withPrefix(`g_${label}.`)].map(([key, { data }]) => [flat(key), data]));
    for (const [i, key] of Object.keys(weightSpecs).entries()) {
      checkParity(file, `g_${label}.${key}`, await step.read(`grads.${i}`), expected.get(key)!, { ofMax: 5e-5 });
    }
    checkParity(
      file,
      `${label}.gx`,
      await step.read(`grads.${Object.keys(weightSpecs).length}`),
      file.floats(`${label}.gx`),
      { ofMax: 5e-5 },
    );
  }

  test('intermediate layers, with and without the final norm', async () => {
    const specs = { ...weightSpecs, images: stored('native.x').spec };
    using step = await compile(
      gpu,
      (_, batch: Record<string, Tensor>) => {
        const out = vit(parametersOf(batch), batch.images!, config, { intermediate: [-2, -1] });
        return {
          raw: out.intermediate.map((tokens) => splitTokens(tokens, config.numRegisterTokens)),
          norm: out.intermediate.map((tokens) => normIntermediate(parametersOf(batch), tokens, config)),
        };
      },
      { batch: specs },
    );
    step.run({ ...weightValues, images: stored('native.x').values });
    for (const kind of ['norm', 'raw'] as const) {
      for (const i of [0, 1]) {
        for (const [part, key] of [
          ['cls', 'cls'],
          ['patch', 'patches'],
        ] as const)
          checkParity(
            file,
            `inter.${kind}.${i}.${part}`,
            await step.read(`${kind}.${i}.${key}`),
            file.floats(`inter.${kind}.${i}.${part}`),
            { ofMax: 2e-5 },
          );
      }
    }
  });
});
