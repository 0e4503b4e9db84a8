import { matryoshkaConfig, matryoshkaLevels } from '@franca/matryoshka-heads';
import { compile, createState } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { drawInputs } from './inputs';
import { pretrainOptions } from './official-options';
import { schedules } from './schedules';
import { pretrainSignature } from './signature';
import { initialisePretraining, pretrainGroups } from './state';
import { pretrainRule, pretrainStep } from './step';

const head = matryoshkaConfig(16, 0, { hiddenDim: 12, bottleneckDim: 8, levels: matryoshkaLevels(16, 64, [8, 16]) });
const options = pretrainOptions({
  ...{ batch: { perDevice: 2 }, dropPathRates: [0], heads: { dino: head, ibot: head }, backboneLrMultiplier: 0.5 },
  vit: vitConfig('tiny', { embedDim: 16, depth: 1, numHeads: 2, imgSize: 28, patchSize: 7, layerScale: 0.5 }),
  crops: { local_crops_number: 0 },
  schedule: { iterations: 4, warmup: 1, lr: 0.01, freezeLastLayer: 0, freezeBackbone: 2 },
});

test('a frozen backbone stays to the bit, of student and teacher, while heads and the mask token learn; then it learns', async () => {
  await using gpu = await openGpu();
  using state = createState(gpu, pretrainGroups(options));
  await initialisePretraining(gpu, state, options, 7);
  using step = await compile(gpu, pretrainStep(options), { ...pretrainSignature(options), state });
  const names = Object.keys(state.layout.student.segments);
  const all = async () => {
    const read = async (group: 'student' | 'teacher', name: string) =>
      [`${group} ${name}`, Float32Array.from(await state.read(group, name))] as const;
    return Object.fromEntries(
      await Promise.all(names.flatMap((name) => [read('student', name), read('teacher', name)])),
    ) as Record<string, Float32Array>;
  };
  const globalCrops = Float32Array.from({ length: 4 * 3 * 28 * 28 }, (_, i) => Math.sin(1 + i * i * 0.013));
  const run = (at: number) => {
    const { inputs, nMasked } = drawInputs(options, 0);
    // the rate of heads is 0 at the very first iteration of their warm-up
    step.run({ globalCrops, ...inputs }, { ...schedules(options.schedule)(at), lr: 0.01, lastLayerLr: 0.01, nMasked });
  };
  const before = await all();
  run(0);
  run(1);
  const after = await all();
  for (const name of names)
    for (const group of ['student', 'teacher']) {
      const key = `${group} ${name}`;
      const isTrunk = name.startsWith('backbone.') && name !== 'backbone.mask_token';
      if (isTrunk) expect(after[key], key).toEqual(before[key]);
      else expect(after[key], key).not.toEqual(before[key]);
    }
  expect((await state.read('m', 'backbone.norm.weight'))[0]).not.toBe(0);
  run(3);
  const learning = await all();
  for (const key of ['student backbone.norm.weight', 'teacher backbone.norm.weight'])
    expect(learning[key]).not.toEqual(after[key]);
});

test('the backbone learns at a rate of its own beside the multipliers of its layers', () => {
  const rate = (name: string) => pretrainRule(name, { ...options, layerwiseDecay: 0.8 }).lrMultiplier;
  expect(rate('dino_head.mlps.0.0.weight')).toBe(1);
  expect(rate('backbone.norm.weight')).toBe(0.5);
  expect(rate('backbone.blocks.0.attn.qkv.weight')).toBeCloseTo(0.5 * 0.8, 12);
  expect(rate('backbone.patch_embed.proj.weight')).toBeCloseTo(0.5 * 0.8 ** 2 * 0.2, 12);
});
