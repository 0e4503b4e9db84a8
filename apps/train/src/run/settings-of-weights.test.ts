import { dinoConfig, type HeadConfig, matryoshkaConfig, matryoshkaLevels } from '@franca/matryoshka-heads';
import { vitConfig } from '@franca/vit';
import { expect, test } from 'vitest';
import { derive, deriveVit } from '../config/derive';
import { loadConfig } from '../config/load';
import { asTree } from '../config/tree';
import { settingsOfWeights } from './settings-of-weights';
import type { StartingModel } from './starting-weights';

const clip = vitConfig('small', {
  ...{ depth: 3, numHeads: 12, imgSize: 518, patchSize: 14, ffnLayer: 'mlp', layerScale: undefined },
  ...{ numRegisterTokens: 4, interpolateOffset: 0, interpolateAntialias: true, mlpRatio: 3 },
  ...{ activation: 'quick_gelu', normEps: 1e-5, preNorm: true },
});
const model = (vit = clip, heads?: StartingModel['heads']): StartingModel => ({
  ...{ file: 'w.pth', vit, heads, notes: [] },
});
const suited = (given: StartingModel, overrides: string[] = [], files = ['continue']) =>
  settingsOfWeights(loadConfig(files, overrides), given);

test('the architecture is that of the weights whatever the preset says, on the grid of the crops, and is recorded whole', () => {
  for (const preset of ['continue', 'cpu-tiny', 'gpu-small']) {
    const { resolved, notes } = suited(model(), ['franca.freeze_backbone_epochs=0'], [preset]);
    const { imgSize, ...vit } = deriveVit(resolved.config);
    expect(vit).toEqual({ ...clip, imgSize: undefined, layerScale: undefined });
    expect(imgSize % 14).toBe(0);
    for (const key of ['crops.global_crops_size', 'student.interpolate_offset'])
      if (notes.some((note) => note.startsWith(key))) expect(resolved.sources.get(key)).toBe('w.pth');
    // as `config.yaml` of the run will say it, without the weights at hand
    expect(deriveVit(loadConfig([], [], [{ source: 'r', settings: asTree(resolved.config) }]).config)).toEqual({
      ...deriveVit(resolved.config),
    });
  }
  const { notes } = suited(model());
  expect(notes).toContain('student.interpolate_offset is 0, to suit the weights');
});

test('rotary positions are part of the record too', () => {
  const other = { ...clip, preNorm: false, ropeTheta: 100 };
  expect(deriveVit(suited(model(other)).resolved.config)).toMatchObject({ ropeTheta: 100 });
});

test('own settings that contradict the weights are refused with both values; those that agree are not', () => {
  expect(() => suited(model(), ['franca.vit.depth=12', 'student.patch_size=16'])).toThrow(
    'student.patch_size is 16 (command line), and of w.pth it is 14; franca.vit.depth is 12 (command line), and of w.pth it is 3: leave it out',
  );
  expect(() => suited(model(), ['student.layerscale=0.1'])).toThrow('student.layerscale is 0.1 (command line)');
  expect(() => suited(model(vitConfig('tiny')), ['student.arch=vit_small'])).toThrow('it is "vit_tiny"');
  expect(() => suited(model(vitConfig('tiny')), ['student.ffn_layer=mlp'])).toThrow('it is "swiglu"');
  const same = ['franca.vit.depth=3', 'student.patch_size=14', 'student.layerscale=0', 'student.ffn_layer=mlp'];
  expect(() => suited(model(), same)).not.toThrow();
  expect(suited(model(vitConfig('tiny')), ['student.ffn_layer=swiglufused']).resolved.config.student).toMatchObject({
    ffn_layer: 'swiglufused',
    arch: 'vit_tiny',
  });
  // what only suits gives way
  const own = suited(model(), ['crops.local_crops_size=28', 'student.interpolate_offset=0.1']).resolved.config;
  expect([own.crops.local_crops_size, own.student.interpolate_offset]).toEqual([28, 0.1]);
});

const nested = (prototypes: number, more: Partial<HeadConfig> = {}): HeadConfig =>
  matryoshkaConfig(384, prototypes, {
    ...{ levels: matryoshkaLevels(384, prototypes, [96, 384]), hiddenDim: 64, bottleneckDim: 32 },
    ...more,
  });

test('heads that go over are those of the configuration, plain and nested ones; nothing is frozen then', () => {
  const plain = dinoConfig(384, 300, { hiddenDim: 40, layers: 2 });
  for (const heads of [
    { dino: nested(128), ibot: nested(256, { bottleneckDim: 16 }) },
    { dino: nested(64, { nesting: 'project' }), ibot: nested(64, { nesting: 'project' }) },
    { dino: plain, ibot: undefined },
    { dino: plain, ibot: dinoConfig(384, 200) },
  ]) {
    const { resolved, notes } = suited(model(clip, heads));
    const options = derive(resolved.config);
    for (const part of ['dino', 'ibot'] as const) {
      const { initStd: _, nesting, ...head } = options.heads[part] ?? { nesting: 'slice' };
      const { nesting: own, ...wanted } = heads[part] ?? { nesting: 'slice' };
      expect(head).toEqual(wanted);
      if (heads.dino.kind === 'matryoshka') expect(nesting).toBe(own);
    }
    expect(options.schedule.freezeBackbone).toBe(0);
    expect(notes).toContain('franca.freeze_backbone_epochs is 0, to suit the weights');
  }
});

test('heads that no run can have, and settings that would change them, are refused', () => {
  const refused = (heads: NonNullable<StartingModel['heads']>) => expect(() => suited(model(clip, heads)));
  refused({ dino: nested(128), ibot: undefined }).toThrow(
    /of w\.pth are none that a run can have \(nested levels .*carry_heads=false/,
  );
  refused({ dino: nested(128), ibot: dinoConfig(384, 64) }).toThrow('one is nested and the other is not');
  const uneven = {
    levels: [
      { width: 96, prototypes: 7 },
      { width: 384, prototypes: 128 },
    ],
  };
  refused({ dino: nested(128, uneven), ibot: nested(128) }).toThrow('(levels 96: 7, 384: 128 of DINO)');
  refused({ dino: nested(128), ibot: nested(128, { projection: false }) }).toThrow('of iBOT');
  expect(() => suited(model(clip, { dino: nested(128), ibot: nested(128) }), ['dino.head_n_prototypes=64'])).toThrow(
    'dino.head_n_prototypes is 64 (command line), and of w.pth it is 128',
  );
});
