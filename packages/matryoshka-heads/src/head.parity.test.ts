import { parametersOf, planChunks, prototypeLogits } from '@franca/nn';
import { add, compile, type Gpu, grad, mul, type Spec, sum, type Tensor } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkParity, type ParityFile, parityFile } from '../../../test/support/parity';
import { dinoConfig, type HeadConfig, matryoshkaConfig, matryoshkaLevels } from './config';
import { detectHead } from './detect';
import { projectionHead } from './head';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu.dispose());

interface Case {
  readonly config: HeadConfig;
  /** Outputs, cotangents, gradient of the input, prefix of the gradients; names of weights as the file has them. */
  readonly outputs: readonly string[];
  readonly cotangents: readonly string[];
  readonly gx: string;
  readonly gradients: string;
  readonly official: (name: string) => string;
}

/** Forward and backward of sum_i sum(out_i cot_i) against everything the file stores. */
async function checkHead(file: ParityFile, { config, outputs, cotangents, gx, gradients, official }: Case) {
  const stored = file.withPrefix('w.');
  const f32 = (shape: readonly number[]): Spec => ({ shape, dtype: 'f32' });
  const weights = Object.fromEntries([...stored].map(([name, { data }]) => [official(name), data]));
  const specs = Object.fromEntries([...stored].map(([name, { shape }]) => [official(name), f32(shape)]));
  using step = await compile(
    gpu,
    (_, batch: Record<string, Tensor>) => {
      const levels = projectionHead(parametersOf(batch), batch.x!, config);
      const logits = levels.map(({ features, prototypes }) => {
        const plan = planChunks({ count: prototypes.count, width: prototypes.width, rows: features.shape[0]! });
        return prototypeLogits(features, prototypes, { temperature: 1, plan }).chunk(0);
      });
      const loss = logits.map((out, i) => sum(mul(out, batch[cotangents[i]!]!))).reduce((a, b) => add(a, b));
      const wrt = Object.fromEntries([...Object.keys(specs), 'x'].map((name) => [name, batch[name]!]));
      return { logits, features: levels.map(({ features }) => features), grads: Object.values(grad(loss, wrt)) };
    },
    {
      batch: {
        ...specs,
        x: f32(file.shape('x')),
        ...Object.fromEntries(cotangents.map((name) => [name, f32(file.shape(name))])),
      },
    },
  );
  step.run({
    ...weights,
    x: file.floats('x'),
    ...Object.fromEntries(cotangents.map((name) => [name, file.floats(name)])),
  });
  for (const [i, name] of outputs.entries())
    checkParity(file, name, await step.read(`logits.${i}`), file.floats(name), { ofMax: 2e-5 });
  if (file.has('bottleneck'))
    checkParity(file, 'bottleneck', await step.read('features.0'), file.floats('bottleneck'), { ofMax: 2e-5 });
  for (const [i, name] of [...stored.keys()].entries())
    checkParity(file, `${gradients}${name}`, await step.read(`grads.${i}`), file.floats(`${gradients}${name}`), {
      ofMax: 5e-5,
    });
  checkParity(file, gx, await step.read(`grads.${stored.size}`), file.floats(gx), { ofMax: 5e-5 });
}

const sizes = ({ config: c }: ParityFile) => ({
  layers: c.nlayers,
  hiddenDim: c.hidden_dim,
  bottleneckDim: c.bottleneck_dim,
});
const numbered = (file: ParityFile, prefix: string) =>
  file.config.nesting_list.map((_: number, i: number) => `${prefix}.${i}`);

test('mrl_head: the official Matryoshka head of the first release', async () => {
  const file = parityFile('mrl_head');
  const { in_dim, out_dim, nesting_list, out_dims } = file.config;
  const levels = matryoshkaLevels(in_dim, out_dim, nesting_list);
  expect(levels.map(({ prototypes }) => prototypes)).toEqual(out_dims);
  const config = matryoshkaConfig(in_dim, out_dim, { ...sizes(file), nesting: 'project', levels });
  const shapes = [...file.withPrefix('w.')].map(([name, { shape }]) => [name, shape] as const);
  expect(detectHead(Object.fromEntries(shapes))).toEqual(config);
  const names = { outputs: numbered(file, 'out'), cotangents: numbered(file, 'cot'), gx: 'gx', gradients: 'g.' };
  await checkHead(file, { config, ...names, official: (name) => name });
});

describe('mrl_slice: levels see slices', () => {
  const file = parityFile('mrl_slice');
  const { in_dim, out_dim, nesting_list } = file.config;
  const levels = matryoshkaLevels(in_dim, out_dim, nesting_list);
  test.each([
    ['plain', 'gelu'],
    ['norm', 'l2'],
  ] as const)('%s', async (variant, bottleneck) => {
    const config = matryoshkaConfig(in_dim, out_dim, { ...sizes(file), levels, projection: false, bottleneck });
    await checkHead(file, {
      config,
      outputs: numbered(file, `${variant}.out`),
      cotangents: numbered(file, `${variant}.cot`),
      gx: `${variant}.gx`,
      gradients: `${variant}.g.`,
      official: (name) =>
        name
          .replace(/^(\d+)\.fc(\d+)\./, (_, level, layer) => `mlps.${level}.${2 * Number(layer)}.`)
          .replace(/^(\d+)\.proto\./, 'last_layers.$1.'),
    });
  });
});

test('dino_head: the official plain head', async () => {
  const file = parityFile('dino_head');
  const config = dinoConfig(file.config.in_dim, file.config.out_dim, sizes(file));
  const names = { outputs: ['out'], cotangents: ['cot'], gx: 'gx', gradients: 'g.' };
  await checkHead(file, { config, ...names, official: (name) => name });
});
