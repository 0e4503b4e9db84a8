import { expect, test } from 'vitest';
import { derive } from './derive';
import type { Machine } from './derived-options';
import { loadConfig } from './load';
import { hasNoEffect, settingsWithoutEffect } from './no-effect';
import { listPresets } from './presets';
import { asTree, leaves } from './tree';

const { vit, heads } = derive(loadConfig(['gpu-small'], []).config);
/** A GPU with f16, where nothing of the precision is idle, and a teacher, where one is distilled. */
const machine: Machine = { size: 1, rank: 0, f16: true, teacher: { vit, heads } };

/** Values to try in the place of one, those that the schema refuses included. */
function othersThan(value: unknown): string[] {
  if (typeof value === 'boolean') return [String(!value)];
  if (typeof value === 'number')
    return [value * 2, value / 2, value + 1, 0.5, 0.25, 5, 100].map((n) => JSON.stringify(n));
  if (Array.isArray(value)) return [JSON.stringify(value.map((n: number) => n / 2))];
  if (value === null) return ['7', '48', '128', '320', '2048', '[48, 768]', '[96, 1024]', '[96]', '0.7'];
  const words =
    'NO_SHARD,fp16,fp32,f16,f32,centering,sinkhorn_knopp,vit_small,vit_giant2,mlp,swiglu,project,slice,nominal,cpu,x';
  return words.split(',').filter((word) => word !== value);
}

/** What a run is made of, in text; undefined where the settings do not go together. */
function made(base: readonly string[], overrides: readonly string[]): string | undefined {
  try {
    const { notes: _, ...options } = derive(loadConfig(base, overrides).config, machine);
    // a plain head has one level and nests nothing
    return JSON.stringify(options, (key, value) =>
      key === 'nesting' && options.heads.dino.kind === 'dino' ? '' : value,
    );
  } catch {
    return undefined;
  }
}

const BASES: [name: string, files: string[], overrides: string[]][] = [
  ['the defaults', [], ['dino.MRL=false', 'student.patch_size=14', 'crops.local_crops_size=98']],
  // with a temperature that rises, which is where the switch for small batches shows with few prototypes
  ...listPresets().map(({ name }): [string, string[], string[]] => [name, [name], ['teacher.teacher_temp=0.05']]),
  ['multi-block masks', ['gpu-small'], ['train.use_block_masking=false']],
  ['distillation', ['gpu-small'], ['teacher.teacher_temp=0.05', 'franca.distillation.teacher=x']],
  ['f16', ['gpu-small'], ['franca.precision=f16']],
  ['f32', ['official-in21k-vitb14'], ['franca.precision=f32']],
];

/** Read before the options are worked out: they name the run folder, and the file of a teacher. */
const ELSEWHERE = ['train.output_dir', 'franca.distillation.teacher'];

test.each(BASES)('with %s every setting has an effect, or it is said that it has none', (_, files, overrides) => {
  const { config } = loadConfig(files, overrides);
  const reference = made(files, overrides);
  expect(reference).toBeDefined();
  for (const [key, value] of leaves(asTree(config)).filter(([name]) => !ELSEWHERE.includes(name))) {
    const outcomes = othersThan(value)
      .map((other) => made(files, [...overrides, `${key}=${other}`]))
      .filter((outcome) => outcome !== undefined);
    const acts = outcomes.some((outcome) => outcome !== reference);
    if (outcomes.length > 0) expect([key, acts], key).toEqual([key, !hasNoEffect(key, config)]);
  }
});

test('what somebody set in vain is said with the way, and what a preset or a default says is not', () => {
  const said = (files: string[], overrides: string[]) => settingsWithoutEffect(loadConfig(files, overrides));
  expect(said([], ['optim.lr=1e-3', 'train.saveckp_freq=20'])).toEqual([
    'without effect: train.saveckp_freq=20; franca.checkpoint.every sets it',
    'without effect: optim.lr=0.001; the rate is optim.base_lr, scaled by the batch',
  ]);
  expect(said([], ['ibot.head_nlayers=2'])[0]).toContain('ibot.separate_head is false');
  for (const { name } of listPresets()) expect(said([name], [])).toEqual([]);
});
