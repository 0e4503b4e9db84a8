import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { defaultConfig, loadConfig, parseConfig, resolveConfig } from './load';

const folder = mkdtempSync(join(tmpdir(), 'franca-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('was not refused');
};

test('the defaults are the official ones', () => {
  const { student, optim, teacher, train, ibot } = defaultConfig;
  expect(student).toMatchObject({
    arch: 'vit_large',
    patch_size: 16,
    drop_path_rate: 0.3,
    ffn_layer: 'mlp',
    block_chunks: 0,
  });
  expect(optim).toMatchObject({
    base_lr: 0.004,
    weight_decay_end: 0.4,
    layerwise_decay: 0.9,
    epochs: 100,
    clip_grad: 3,
  });
  expect(teacher).toMatchObject({
    momentum_teacher: 0.992,
    final_momentum_teacher: 1,
    warmup_teacher_temp: 0.04,
    teacher_temp: 0.07,
  });
  expect(train).toMatchObject({ batch_size_per_gpu: 64, centering: 'centering', OFFICIAL_EPOCH_LENGTH: 1250 });
  expect(ibot).toMatchObject({ separate_head: false, mask_ratio_min_max: [0.1, 0.65], head_bottleneck_dim: 256 });
});

test('a file is laid on the defaults, sections merging and lists replacing', () => {
  const path = file(
    'own.yaml',
    'crops:\n  local_crops_size: 98\n  global_crops_scale:\n  - 0.48  # remark\n  - 1.0\ndino:\n  MRL: True\n',
  );
  const { config } = loadConfig([path]);
  expect(config.crops).toEqual({ ...defaultConfig.crops, local_crops_size: 98, global_crops_scale: [0.48, 1] });
  expect(config.dino.MRL).toBe(true);
});

test('numbers are read in every notation of the official files', () => {
  const path = file(
    'numbers.yaml',
    'optim:\n  base_lr: 7.01e-4\n  min_lr: 1e-6\n  epochs: 1e2\n  weight_decay: .04\n  lr: 0.\n',
  );
  expect(loadConfig([path]).config.optim).toMatchObject({
    base_lr: 7.01e-4,
    min_lr: 1e-6,
    epochs: 100,
    weight_decay: 0.04,
    lr: 0,
  });
});

test('a data set string with repeated keys and a variable stays as it is', () => {
  const path = file('data.yaml', 'train:\n  dataset_path: ImageNet22k:root=TRAIN:root=$DSDIR/x/:extra=/y/\n');
  expect(loadConfig([path]).config.train.dataset_path).toBe('ImageNet22k:root=TRAIN:root=$DSDIR/x/:extra=/y/');
});

test('overrides are YAML and win over files', () => {
  const path = file('over.yaml', 'optim:\n  base_lr: 1\n  epochs: 3\n');
  const { config, sources } = loadConfig(
    [path],
    [
      'optim.base_lr=1e-3',
      'crops.global_crops_scale=[0.5, 1]',
      'franca.total_batch=null',
      'train.dataset_path=ImageNet:split=TRAIN:root=/d',
      'train.output_dir=',
    ],
  );
  expect(config.optim).toMatchObject({ base_lr: 1e-3, epochs: 3 });
  expect(config.crops.global_crops_scale).toEqual([0.5, 1]);
  expect(config.franca.total_batch).toBeNull();
  expect(config.train.dataset_path).toBe('ImageNet:split=TRAIN:root=/d');
  expect(config.train.output_dir).toBe('');
  expect([sources.get('optim.base_lr'), sources.get('optim.epochs'), sources.get('optim.min_lr')]).toEqual([
    'command line',
    path,
    undefined,
  ]);
});

test.each([
  ['optim.base_lrr=1', 'command line: there is no setting "optim.base_lrr"; did you mean "optim.base_lr"?'],
  ['ibot.mask_ratio_minmax=1', 'did you mean "ibot.mask_ratio_min_max"?'],
  ['train.base_lr=1', 'did you mean "optim.base_lr"?'],
  ['train.wait_decay=1', 'did you mean "optim.weight_decay"?'],
  ['optm.base_lr=1', 'there is no setting "optm"; did you mean "optim"?'],
  ['zebra.x=1', 'there are MODEL, compute_precision, dino,'],
  ['optim.base_lr=fast', 'optim.base_lr is "fast": expected a number'],
  ['optim=3', 'optim is 3: expected a section with keys'],
  ['student.arch=vit_bse', 'student.arch is "vit_bse": expected one of vit_tiny, vit_small,'],
  ['crops.global_crops_scale=[1, 0.3]', 'crops.global_crops_scale is [1,0.3]: expected the lower bound first'],
  ['franca.nesting_list=[4, x]', 'franca.nesting_list.1 is "x": expected a whole number'],
  ['train.batch_size_per_gpu=0', 'train.batch_size_per_gpu is 0: expected 1 or more'],
  ['optim.base_lr', '"optim.base_lr" is no override; expected section.key=value'],
  ['optim.base_lr=[', 'is not YAML'],
  ['..=1', 'is no override'],
])('%s is refused', (override, message) => {
  expect(refusal(() => loadConfig([], [override]))).toContain(message);
});

test('every wrong setting is named, each with its source', () => {
  const path = file('wrong.yaml', 'optim:\n  epoch: 3\nstudent:\n  depth: 2\n');
  const message = refusal(() => loadConfig([path], ['optim.base_lr=x']));
  expect(message.split('\n')).toHaveLength(3);
  expect(message).toContain(`${path}: there is no setting "optim.epoch"; did you mean "optim.epochs"?`);
});

test('no key reaches the prototype of objects', () => {
  expect(refusal(() => loadConfig([], ['__proto__.polluted=1']))).toContain('cannot be the name of a setting');
  expect(
    refusal(() =>
      resolveConfig([{ source: 'x', settings: parseConfig('optim:\n  __proto__:\n    polluted: 1\n', 'x') }]),
    ),
  ).toContain('cannot be');
  expect(refusal(() => loadConfig([], ['optim.constructor.prototype.polluted=1']))).toContain('cannot be');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('a broken, an absent and a wrong kind of file are refused by name', () => {
  expect(refusal(() => loadConfig([file('broken.yaml', 'optim:\n  a: [1\n b: 2')]))).toMatch(/broken\.yaml: .*line/s);
  expect(refusal(() => loadConfig([file('twice.yaml', 'optim:\n  epochs: 1\n  epochs: 2\n')]))).toContain('unique');
  expect(refusal(() => loadConfig([join(folder, 'none.yaml')]))).toContain('does not exist');
  expect(refusal(() => loadConfig([file('list.yaml', '- 1\n- 2\n')]))).toContain('expected sections with keys');
  expect(refusal(() => loadConfig([folder]))).toContain(folder);
  expect(loadConfig([file('empty.yaml', '# nothing\n')]).config).toEqual(defaultConfig);
});

test('an alias bomb does not fill the memory', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]},`.repeat(9)}]`),
  ].join('\n');
  expect(refusal(() => loadConfig([file('bomb.yaml', bomb)]))).toMatch(/alias/i);
});
