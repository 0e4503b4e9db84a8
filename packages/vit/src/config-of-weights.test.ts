import { expect, test } from 'vitest';
import { type VitConfig, vitConfig } from './config';
import { configOf } from './config-of-weights';
import { vitSpecs } from './specs';
import { CONFIG_KEY, encodeVitConfig } from './stored-config';

const chunked = (name: string) => name.replace(/^blocks\.(\d+)\./, 'blocks.2.$1.');

/** A table of a model's tensors, with some changed, added or (undefined) left out, under names that `rename` gives. */
const tableOf = (
  config: VitConfig,
  changes: Readonly<Record<string, readonly number[] | undefined>> = {},
  rename = (name: string) => name,
) => {
  const own = Object.entries(vitSpecs(config)).map(([name, { shape }]) => [name, shape] as const);
  const all = { ...Object.fromEntries(own), ...changes };
  const kept = Object.entries(all).flatMap(([name, shape]) => (shape ? [[rename(name), { shape }] as const] : []));
  return { tensors: new Map(kept) };
};

const small = vitConfig('small', { ffnLayer: 'mlp', layerScale: undefined, patchSize: 16, depth: 2 });
/** Of a width that was never published. */
const narrow = vitConfig('tiny', { embedDim: 96, numHeads: 3, depth: 2, imgSize: 48, patchSize: 8 });

test('a configuration is read off its own weights, chunked or flat', () => {
  for (const config of [
    vitConfig('base', { imgSize: 518 }),
    vitConfig('giant2'),
    vitConfig('tiny', {
      ffnLayer: 'mlp',
      layerScale: undefined,
      patchSize: 16,
      numRegisterTokens: 4,
      interpolateOffset: 0,
      interpolateAntialias: true,
    }),
  ]) {
    expect(configOf(tableOf(config, {}, chunked))).toEqual({
      config,
      assumed: ['numHeads', ...(config.layerScale ? ['layerScale'] : []), 'interpolateOffset', 'interpolateAntialias'],
      unused: [],
    });
  }
  expect(() => configOf({ tensors: new Map([['fc.weight', { shape: [1, 2] }]]) })).toThrow(
    /no tensor "patch_embed\.proj\.weight"; there are fc\.weight, .*; the names of DINOv2 and timm are known/,
  );
  expect(() => configOf({ tensors: new Map() })).toThrow(/there are no tensors at all/);
});

test('heads are assumed for published widths, and asked for at any other', () => {
  for (const [D, heads] of [
    [192, 3],
    [384, 6],
    [768, 12],
    [1024, 16],
    [1536, 24],
  ] as const) {
    const { config, assumed } = configOf(tableOf({ ...small, embedDim: D, numHeads: 1 }));
    expect([config.numHeads, assumed.includes('numHeads')]).toEqual([heads, true]);
  }
  for (const D of [96, 128, 320, 1280, 1408, 1664]) {
    const table = tableOf({ ...small, embedDim: D, numHeads: 2 });
    expect(() => configOf(table)).toThrow(
      expect.objectContaining({
        code: 'heads',
        message: expect.stringMatching(new RegExp(`at width ${D} no number of them is usual`)),
      }),
    );
    const { config, assumed } = configOf(table, { numHeads: 4 });
    expect([config.numHeads, assumed.includes('numHeads')]).toEqual([4, false]);
  }
  expect(() => configOf(tableOf(narrow))).toThrow(/1, 2, 3, 4, 6, 8, 12 divide that width/);
  expect(() => configOf(tableOf(narrow), { numHeads: 5 })).toThrow(/width 96 cannot have 5 heads/);
});

test('positions are resampled as DINOv2 does, which depends on registers; what is known wins', () => {
  const read = (registers: number, known: Partial<VitConfig> = {}) => {
    const { config, assumed } = configOf(tableOf({ ...small, numRegisterTokens: registers }), known);
    return [config.interpolateOffset, config.interpolateAntialias, assumed.length];
  };
  expect(read(0)).toEqual([0.1, false, 3]);
  expect(read(4)).toEqual([0, true, 3]);
  expect(read(4, { interpolateOffset: 0.1, interpolateAntialias: false, numHeads: 6 })).toEqual([0.1, false, 0]);
});

test('a known configuration of another model is refused, naming both', () => {
  const cases: readonly (readonly [Partial<VitConfig>, RegExp])[] = [
    [{ embedDim: 768 }, /run\.yaml is of another model: embedDim is 768 there and 384 in the tensors/],
    [{ depth: 12 }, /depth is 12 there and 2/],
    [{ patchSize: 14, imgSize: 224 }, /patchSize is 14 there and 16/],
    [{ imgSize: 512 }, /imgSize is 512 there and 224/],
    [{ ffnLayer: 'swiglu' }, /ffnLayer is swiglu there and mlp/],
    [{ mlpRatio: 3 }, /hidden width is 1152 there and 1536/],
    [{ numRegisterTokens: 4 }, /numRegisterTokens is 4 there and 0/],
    [{ layerScale: 1 }, /layerScale is present there and absent/],
  ];
  for (const [known, message] of cases) expect(() => configOf(tableOf(small), known, 'run.yaml')).toThrow(message);
  expect(configOf(tableOf(narrow), { ...narrow, layerScale: 1 }).config).toEqual({ ...narrow, layerScale: 1 });
});

test.each([
  'ln_pre.weight',
  'cls_norm.weight',
  'attn_pool.latent',
  'fc_norm.weight',
  'dist_token',
  'reg_token',
  'storage_tokens',
  'rope_embed.periods',
  'rel_pos_bias.relative_position_bias_table',
  'patch_embed.norm.weight',
  'pos_embed_spatial',
  'blocks.0.attn.q_norm.weight',
  'blocks.1.gamma_1',
  'blocks.1.attn.proj.lora_A',
  'blocks.1.attn.norm.weight',
  'blocks.0.mlp.norm.bias',
  'blocks.0.ls3.gamma',
])('%s makes it another architecture, which is refused', (name) => {
  expect(() => configOf(tableOf(small, { [name]: [384] }))).toThrow(
    expect.objectContaining({
      code: 'weights',
      message: expect.stringContaining(`"${name}" belongs to another architecture`),
    }),
  );
});

test('what comes after the features is left out and named, and a mask token as wide as a decoder', () => {
  const { unused } = configOf(
    tableOf(small, { 'head.weight': [1000, 384], 'decoder_blocks.0.norm1.weight': [512], mask_token: [1, 1, 512] }),
  );
  expect(unused).toEqual(['head.weight', 'decoder_blocks.0.norm1.weight', 'mask_token']);
  expect(configOf(tableOf(small, { mask_token: undefined })).unused).toEqual([]);
  expect(configOf(tableOf(small, { mask_token: [1, 1, 384] })).unused).toEqual([]);
});

test.each<[string, Readonly<Record<string, readonly number[] | undefined>>, RegExp]>([
  ['a table that is no square', { pos_embed: [1, 198, 384] }, /pos_embed has 198 positions/],
  ['queries without bias', { 'blocks.1.attn.qkv.bias': undefined }, /no tensor "blocks\.1\.attn\.qkv\.bias"/],
  [
    'a transposed matrix',
    { 'blocks.0.mlp.fc1.weight': [1536, 384], 'blocks.1.mlp.fc1.weight': [384, 1536] },
    /"blocks\.1\.mlp\.fc1\.weight" has shape \[384, 1536\]/,
  ],
  ['oblong patches', { 'patch_embed.proj.weight': [384, 3, 16, 8] }, /square patches of three channels/],
  ['grey images', { 'patch_embed.proj.weight': [384, 1, 16, 16] }, /square patches of three channels/],
  ['a gated layer of timm', { 'blocks.0.mlp.fc2.weight': [384, 768] }, /gated layer under timm's names/],
  ['blocks that differ', { 'blocks.1.ls1.gamma': [384] }, /"blocks\.1\.ls1\.gamma" has no place/],
])('%s is refused', (_, changes, message) => {
  expect(() => configOf(tableOf(small, changes))).toThrow(message);
});

test('the configuration in the metadata counts, what is known comes before it, and both must agree with the tensors', () => {
  const keep = (config: VitConfig, assumed: readonly 'numHeads'[] = []) => ({
    ...tableOf(narrow),
    metadata: { [CONFIG_KEY]: encodeVitConfig({ config, assumed }) },
  });
  expect(configOf(keep(narrow))).toEqual({ config: narrow, assumed: [], unused: [] });
  expect(configOf(keep(narrow, ['numHeads'])).assumed).toEqual(['numHeads']);
  const other = configOf(keep(narrow, ['numHeads']), { numHeads: 4 });
  expect([other.config.numHeads, other.assumed]).toEqual([4, []]);
  expect(() => configOf(keep({ ...narrow, depth: 3 }))).toThrow(
    /the metadata "franca\.vit" is of another model: depth is 3 there and 2 in the tensors/,
  );
  expect(() => configOf({ ...tableOf(narrow), metadata: { [CONFIG_KEY]: '{' } })).toThrow(
    /the metadata "franca\.vit" is broken: the configuration is not JSON; write it again/,
  );
  // of another program
  expect(() => configOf({ ...tableOf(narrow), metadata: { [CONFIG_KEY]: '{}', format: 'pt' } })).toThrow(/heads/);
});

const CLIP = { activation: 'quick_gelu', normEps: 1e-5 } as const;
const ROTARY = { ropeTheta: 100, imgSize: 224, activation: 'gelu', normEps: 1e-5 } as const;

test('what other families have shows in names; what no shape tells has to be said', () => {
  const cases = [
    [
      { preNorm: true },
      CLIP,
      /with a norm before the blocks, and no shape tells activation, normEps; say so .*quick_gelu/,
    ],
    [
      { classToken: false },
      CLIP,
      /with attention that pools patches, and no shape tells activation, normEps; .*SigLIP/,
    ],
  ] as const;
  for (const [traits, said, message] of cases) {
    const model = { ...small, ...traits };
    expect(() => configOf(tableOf(model))).toThrow(
      expect.objectContaining({ code: 'weights', message: expect.stringMatching(message) }),
    );
    expect(() => configOf(tableOf(model), { normEps: 1e-5 })).toThrow(/no shape tells activation; /);
    expect(configOf(tableOf(model), said).config).toEqual({ ...model, ...said });
    // a whole configuration says what it leaves out too
    expect(configOf(tableOf(model), model).config).toEqual(model);
    const stored = { [CONFIG_KEY]: encodeVitConfig({ config: model, assumed: [] }) };
    expect(configOf({ ...tableOf(model), metadata: stored })).toEqual({ config: model, assumed: [], unused: [] });
    expect(() => configOf(tableOf(model), small, 'config.json')).toThrow(
      /config\.json is of another model: (preNorm is false there and true|classToken is true there and false)/,
    );
    expect(() => configOf(tableOf(small), model, 'config.json')).toThrow(/of another model/);
  }
});

test('rotary positions have no table: a configuration says so, or the names of DINOv3', () => {
  const model = { ...small, ...ROTARY, numRegisterTokens: 4 };
  const { config, assumed } = configOf(tableOf(model), ROTARY);
  expect([config, assumed]).toEqual([{ ...model, interpolateOffset: 0, interpolateAntialias: true }, ['numHeads']]);
  expect(() => configOf(tableOf(model))).toThrow(
    /no tensor "pos_embed"; .*one with rotary positions has none: say their base with ropeTheta/,
  );
  expect(() => configOf(tableOf(model), { ropeTheta: 100 })).toThrow(/no shape tells imgSize, activation, normEps; /);
  expect(() => configOf(tableOf(small), ROTARY)).toThrow(/positions is rotary there and a table in the tensors/);
  const mask = Object.fromEntries([0, 1].map((i) => [`blocks.${i}.attn.qkv.bias_mask`, [1152]]));
  const official = tableOf(model, { ...mask, 'rope_embed.periods': [16] }, (name) =>
    name.replace('register', 'storage'),
  );
  expect(() => configOf(official)).toThrow(
    /with rotary positions, and no shape tells ropeTheta, imgSize, activation, normEps; .*DINOv3: \{ ropeTheta: 100/,
  );
  // a head of 64 has 16 periods
  expect(configOf(official, ROTARY)).toEqual({ config, assumed: [], unused: [] });
  expect(() => configOf(official, { ...ROTARY, numHeads: 12 })).toThrow(/numHeads is 12 there and 6 in the tensors/);
  expect(() => configOf(official, small)).toThrow(/positions is a table there and rotary in the tensors/);
});

test('what is said of activation and eps counts for any model', () => {
  expect(configOf(tableOf(small), CLIP).config).toEqual({ ...small, ...CLIP });
});

test('a misspelt value is named with those that exist', () => {
  const given: object = { num_heads: 6 };
  expect(() => configOf(tableOf(small), given)).toThrow(
    /the given configuration has no "num_heads"; it has embedDim, depth, numHeads, /,
  );
  expect(() => vitConfig('tiny', given)).toThrow(/vitConfig has no "num_heads"/);
  expect(() => vitConfig('huge' as 'tiny')).toThrow(/no size "huge"; the sizes are tiny, small, /);
});
