import { schedules } from '@franca/pretraining';
import { expect, test } from 'vitest';
import { derive, SINGLE_DEVICE } from './derive';
import type { DerivedOptions, Machine } from './derived-options';
import { loadConfig } from './load';
import { prototypesFor, teacherTempFor } from './small-batch';

const options = (files: string[], overrides: string[] = [], machine: Machine = SINGLE_DEVICE): DerivedOptions =>
  derive(loadConfig(files, overrides).config, machine);
const vitb = (overrides: string[] = [], machine?: Machine) => options(['official-in21k-vitb14'], overrides, machine);

test('the total batch sets micro-steps and the learning rate: 7.01e-4 sqrt(2048 / 1024)', () => {
  const { batch, schedule } = vitb();
  expect(batch).toEqual({ perDevice: 32, group: 32, accumulation: 64, total: 2048 });
  expect(schedule.lr).toBeCloseTo(9.9136e-4, 8);
  expect(vitb([], { size: 64, rank: 3, f16: true }).batch).toEqual({
    perDevice: 32,
    group: 32,
    accumulation: 1,
    total: 2048,
  });
  expect(vitb(['franca.total_batch=null'], { size: 8, rank: 0, f16: false }).batch).toEqual({
    perDevice: 32,
    group: 32,
    accumulation: 1,
    total: 256,
  });
});

// reference values of the official scheduler class, to the digits they were recorded with
test.each([
  [0, 0, 0.04, 0.994, 0.04],
  [1, 9.913736e-9, 0.04, 0.994, 0.040001],
  [1250, 1.239217e-5, 0.040002, 0.99400006, 0.041],
  [37_500, 3.717651e-4, 0.041417, 0.99405314, 0.07],
  [100_000, 9.913637e-4, 0.049895, 0.99437108, 0.07],
  [312_500, 6.421393e-4, 0.12, 0.997, 0.07],
  [624_999, 1e-6, 0.2, 1, 0.07],
])(
  'ViT-B on ImageNet-21K at iteration %i has the official schedules',
  (iteration, lr, weightDecay, momentum, teacherTemp) => {
    const knobs = schedules(vitb().schedule)(iteration);
    expect(Math.abs(knobs.lr - lr)).toBeLessThanOrEqual(5e-7 * Math.max(lr, 1e-6) + 1e-13);
    expect(knobs.weightDecay).toBeCloseTo(weightDecay, 6);
    expect(knobs.momentum).toBeCloseTo(momentum, 8);
    expect(knobs.teacherTemp).toBeCloseTo(teacherTemp, 6);
    expect(knobs.lastLayerLr).toBe(iteration < 1250 ? 0 : knobs.lr);
  },
);

test('heads have the official levels: five, 253,952 prototypes, bottlenecks 384 and 256', () => {
  const { dino, ibot } = vitb().heads;
  expect(dino.levels.map(({ width }) => width)).toEqual([48, 96, 192, 384, 768]);
  expect(dino.levels.map(({ prototypes }) => prototypes)).toEqual([8192, 16384, 32768, 65536, 131072]);
  expect([dino.bottleneckDim, ibot?.bottleneckDim]).toEqual([384, 256]);
  expect(options(['official-in21k-vitg14']).heads.dino.levels.map(({ width }) => width)).toEqual([
    96, 192, 384, 768, 1536,
  ]);
});

test('masked-patch buffers have the official bound U', () => {
  const bound = (b: number, files = ['official-in21k-vitb14']) =>
    options(files, [`train.batch_size_per_gpu=${b}`]).masks.bound;
  expect([16, 32, 64].map((b) => bound(b))).toEqual([1600, 3129, 6183]);
  expect([16, 32].map((b) => bound(b, ['official-highres-vitb14']))).toEqual([8583, 16789]);
});

test('stochastic depth keeps max(floor(B (1 - r)), 1) of the packed crops', () => {
  expect(vitb().kept).toEqual(new Array(12).fill({ global: 57, local: 230 }));
  expect(options(['official-in21k-vitl14']).kept[23]).toEqual({ global: 38, local: 153 });
  const rates = vitb(['student.drop_path_uniform=false', 'student.drop_path_rate=0.11']).dropPathRates;
  expect([rates[0], rates[11]]).toEqual([0, 0.11]);
});

test('crops, grids and masks follow the configuration', () => {
  const { crops, masks, vit } = vitb();
  expect([masks.grid, masks.strategy]).toEqual([[16, 16], 'cyclic']);
  expect(crops).toMatchObject({
    global_crops_size: 224,
    local_crops_size: 98,
    blur_probability: 'actual',
    jitter_hue: 0.1,
  });
  expect(vit).toMatchObject({
    embedDim: 768,
    depth: 12,
    numHeads: 12,
    imgSize: 224,
    patchSize: 14,
    ffnLayer: 'swiglu',
    layerScale: 1e-5,
  });
  expect(vitb(['franca.quirks.blur=nominal']).crops.blur_probability).toBe('nominal');
  expect(vitb(['train.use_block_masking=false']).masks.strategy).toBe('multi-block');
});

test('photographs are reduced while decoding to 1.5 times the side at which no crop is enlarged', () => {
  // the smallest local crop covers 0.05 of the picture at aspect 3/4: 98 / sqrt(0.05 * 3/4) = 506.1
  expect(vitb().loop.decode).toEqual({ maxPixels: 2 ** 26, shortSide: 760 });
  expect(vitb(['crops.local_crops_number=0']).loop.decode.shortSide).toBe(
    Math.ceil((1.5 * 224) / Math.sqrt(0.32 * 0.75)),
  );
  expect(vitb(['franca.data.decode_short_side=512']).loop.decode.shortSide).toBe(512);
  expect(vitb(['franca.data.decode_short_side=0', 'franca.data.max_pixels=1000']).loop.decode).toEqual({
    maxPixels: 1000,
  });
});
test('DINOv2 is within reach: plain heads, shared, centred', () => {
  const { heads, centering } = options([], ['dino.MRL=false', 'student.patch_size=14', 'crops.local_crops_size=98']);
  expect([heads.ibot, centering]).toEqual([undefined, 'centering']);
  expect(heads.dino).toMatchObject({ kind: 'dino', levels: [{ width: 1024, prototypes: 65536 }] });
});

test('f16 is used where the recipe asks for it and the adapter is able', () => {
  const gpu: Machine = { size: 1, rank: 0, f16: true };
  expect([vitb().precision, vitb([], gpu).precision]).toEqual(['f32', 'f16']);
  expect(vitb(['franca.precision=f16']).precision).toBe('f16');
  expect(vitb(['compute_precision.student.backbone.mixed_precision.param_dtype=fp32'], gpu).precision).toBe('f32');
  expect(vitb([], gpu).lossScaling && !vitb().lossScaling).toBe(true);
});

test('small batches get fewer prototypes and a colder teacher, on request', () => {
  expect(prototypesFor(131072, 2048)).toBe(131072);
  expect([prototypesFor(131072, 32), prototypesFor(131072, 100), prototypesFor(131072, 1)]).toEqual([2048, 4096, 512]);
  expect(prototypesFor(100, 32)).toBe(100);
  expect([8, 32, 1024, 4096].map((n) => teacherTempFor(0.04, 0.07, n))).toEqual([0.04, 0.04, 0.07, 0.07]);
  expect(teacherTempFor(0.04, 0.07, Math.sqrt(32 * 1024))).toBeCloseTo(0.055, 12);
  const small = vitb(['franca.small_batch=true']);
  expect(small.heads.ibot?.levels.map(({ prototypes }) => prototypes)).toEqual([128, 256, 512, 1024, 2048]);
  expect(small.schedule.teacherTemp).toEqual([0.04, 0.04]);
  expect(small.notes).toContain('2048 prototypes instead of 131072, for 32 images at a time');
});

test.each([
  [['franca.total_batch=100'], 'franca.total_batch is 100, no multiple of the 32 images'],
  [['crops.global_crops_size=225'], 'crops.global_crops_size is 225, no multiple of student.patch_size 14; use 224'],
  [['crops.local_crops_size=96'], 'use 98'],
  [['ibot.separate_head=false'], 'use ibot.separate_head=true'],
  [['train.centering=centering'], 'needs train.centering=sinkhorn_knopp'],
  [['franca.nesting_list=[48, 96]'], 'that end with the embedding, 768'],
  [['franca.nesting_list=[96, 48, 768]'], 'ascending'],
  [['franca.vit.embed_dim=100'], 'does not divide into 12 heads'],
  [['optim.warmup_epochs=600'], 'longer than the run'],
])('%j is refused', (overrides, message) => {
  expect(() => vitb(overrides)).toThrow(message);
});

test('a distilled student has the prototypes of its teacher, its own widths, and all of its branches', () => {
  const { vit, heads } = vitb();
  const machine = { ...SINGLE_DEVICE, teacher: { vit, heads } };
  const overrides = ['student.arch=vit_small', 'dino.head_n_prototypes=64', 'student.drop_path_rate=0.3'];
  const distil = 'franca.distillation.teacher=large.pth';
  const distilled = vitb([...overrides, distil], machine);
  expect(distilled.distillation).toEqual({ vit, heads });
  expect(distilled.heads.dino.levels).toEqual(
    heads.dino.levels.map(({ width, prototypes }) => ({ width: width / 2, prototypes })),
  );
  expect(distilled.heads.ibot!.levels.map(({ prototypes }) => prototypes)).toEqual([8192, 16384, 32768, 65536, 131072]);
  expect(new Set(distilled.dropPathRates)).toEqual(new Set([0]));
  expect(distilled.notes[0]).toBe(
    'distils a ViT of width 768 and depth 12: nothing is masked, and patches are compared where they would have been masked, as in DINOv3',
  );
  const everywhere = ['ibot.mask_sample_probability=1', 'ibot.mask_ratio_min_max=[1, 1]'];
  expect(vitb([...overrides, distil, ...everywhere], machine).notes[0]).toContain('everywhere, as in DINOv2');
  // nothing of it where none is named, and no silence where one was not opened
  expect(vitb(overrides, machine)).toEqual(vitb(overrides));
  expect(vitb([...overrides, distil]).notes[0]).toMatch(/^large\.pth, the teacher, was not opened/);
  expect(() => vitb([distil, 'franca.nesting_list=[384, 768]'], machine)).toThrow(
    "the teacher's head has 5 levels, that of this run 2, and level i predicts level i; use dino.MRL=true and 5 widths",
  );
  const plain = { dino: { ...heads.dino, levels: heads.dino.levels.slice(-1) }, ibot: undefined };
  expect(() => vitb([distil], { ...machine, teacher: { vit, heads: plain } })).toThrow('use dino.MRL=false');
  expect(() => vitb([distil, 'student.patch_size=16', 'crops.local_crops_size=96'], machine)).toThrow(
    'give the student a patch size of 14',
  );
});
