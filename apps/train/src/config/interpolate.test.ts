import { expect, test } from 'vitest';
import { parseConfig, resolveConfig } from './load';
import { parseOverrides } from './overrides';

const config = (yaml: string, ...overrides: string[]) =>
  resolveConfig([
    { source: 'my.yaml', settings: parseConfig(yaml, 'my.yaml') },
    { source: 'command line', settings: parseOverrides(overrides) },
  ]).config;

test('a reference stands for the value of a setting, of its type, also in lists, through others and into defaults', () => {
  const { dino, ibot, crops, student } = config(`
    dino: { head_n_prototypes: 4096, head_hidden_dim: '\${ibot.head_hidden_dim}' }
    ibot: { head_n_prototypes: '\${dino.head_n_prototypes}', head_hidden_dim: '\${ dino.head_bottleneck_dim }' }
    crops: { global_crops_scale: [0.3, 1], local_crops_scale: [0.05, '\${crops.global_crops_scale.0}'] }
    student: { num_register_tokens: '\${dino.head_nlayers}' }
  `);
  expect([ibot.head_n_prototypes, dino.head_hidden_dim, student.num_register_tokens]).toEqual([4096, 256, 3]);
  expect(crops.local_crops_scale).toEqual([0.05, 0.3]);
});

test('a reference sees what the command line sets, and may stand there', () => {
  const yaml = `ibot: { head_n_prototypes: '\${dino.head_n_prototypes}' }`;
  expect(config(yaml, 'dino.head_n_prototypes=128').ibot.head_n_prototypes).toBe(128);
  expect(config('', 'optim.epochs=7', `optim.warmup_epochs=\${optim.epochs}`).optim.warmup_epochs).toBe(7);
});

test('within a text it is spelt out', () => {
  expect(config(`train: { output_dir: 'runs/\${student.arch}-\${train.seed}' }`).train.output_dir).toBe(
    'runs/vit_large-0',
  );
});

test.each([
  [`\${dino.head_prototypes}`, 'there is no setting "dino.head_prototypes"; did you mean "dino.head_n_prototypes"?'],
  [`\${oc.env:HOME}`, `only references to settings, \${section.key}, are resolved; write the value`],
  [`\${.head_n_prototypes}`, `only references to settings, \${section.key}, are resolved; write the value`],
  [`\${train.output_dir}`, 'it refers to itself: train.output_dir -> train.output_dir'],
  [`\${train}`, 'it refers to itself: train.output_dir -> train'],
  [`a \${dino}`, '"dino" is not one value'],
  [`a \${dino`, `expected \${section.key}`],
])('%s is refused with the setting, its source and the reason', (value, why) => {
  expect(() => config(`train: { output_dir: '${value}' }`)).toThrow(`my.yaml: train.output_dir is "${value}": ${why}`);
});

test('a file that doubles itself with every line is refused', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `a${i}: '\${train.a${i + 1}}\${train.a${i + 1}}'`);
  expect(() => config(`train: { ${lines.join(', ')}, a40: x }`)).toThrow('more than 1000 references');
});
