/** Outputs of published models by name and shape, at the side of 224 that they are found by; no file is opened. */
import { describe, expect, test } from 'vitest';
import { OnnxError } from '../errors';
import { findOutputs, type KnownOutputs, type Probed } from './find-outputs';

type Shapes = Readonly<Record<string, readonly number[]>>;

const listed = (shapes: Shapes) => Object.entries(shapes).map(([name, shape]) => ({ name, shape: [1, ...shape] }));
/** `wide`: of the picture twice as wide; left out for a model of one size. */
const probed = (square: Shapes, wide?: Shapes, side = 224): Probed => ({
  side,
  square: listed(square),
  wide: wide && listed(wide),
});
const summary = (at: Probed, known?: KnownOutputs): string => {
  const { cls, patches, dim } = findOutputs(at, known);
  const dense = patches ? `${patches.kind} ${patches.name} ${patches.prefix} ${patches.patchSize}` : 'none';
  return `${cls.kind} ${cls.name}, ${dense}, ${dim}`;
};

describe('found', () => {
  test.each<[string, Probed, string]>([
    [
      'DINOv2 of any size',
      probed(
        { last_hidden_state: [257, 384], pooler_output: [384] },
        { last_hidden_state: [513, 384], pooler_output: [384] },
      ),
      'vector pooler_output, tokens last_hidden_state 1 14, 384',
    ],
    [
      'DINOv2 with registers',
      probed({ last_hidden_state: [261, 768] }, { last_hidden_state: [517, 768] }),
      'token last_hidden_state, tokens last_hidden_state 5 14, 768',
    ],
    ['a ViT of one size, whatever its output is called', probed({ '1234': [197, 192] }), 'token 1234, tokens 1234 1 16, 192'],
    [
      'DINOv3, whose patches are of 16 px',
      probed({ last_hidden_state: [201, 384] }),
      'token last_hidden_state, tokens last_hidden_state 5 16, 384',
    ],
    [
      'SigLIP, which has no CLS among its tokens',
      probed({ last_hidden_state: [196, 768], pooler_output: [768] }),
      'vector pooler_output, tokens last_hidden_state 0 16, 768',
    ],
    [
      'CLIP with a projection, which is no CLS beside patches of another width',
      probed({ image_embeds: [512], last_hidden_state: [50, 768] }),
      'token last_hidden_state, tokens last_hidden_state 1 32, 768',
    ],
    ['CLIP with its projection alone', probed({ image_embeds: [512] }), 'vector image_embeds, none, 512'],
    [
      'an export of this package: patches by themselves go first',
      probed(
        { last_hidden_state: [197, 192], pooler_output: [192], patch_tokens: [196, 192] },
        { last_hidden_state: [393, 192], pooler_output: [192], patch_tokens: [392, 192] },
      ),
      'vector pooler_output, tokens patch_tokens 0 16, 192',
    ],
    [
      'ResNet: maps, and a pooled output with places of 1 x 1',
      probed(
        { last_hidden_state: [2048, 7, 7], pooler_output: [2048, 1, 1] },
        { last_hidden_state: [2048, 7, 14], pooler_output: [2048, 1, 1] },
      ),
      'vector pooler_output, maps last_hidden_state 0 32, 2048',
    ],
    ['maps alone', probed({ features: [768, 7, 7] }), 'mean features, maps features 0 32, 768'],
    ['a vector of any name', probed({ '531': [1024] }), 'vector 531, none, 1024'],
    [
      'hidden states beside the last one',
      probed({ 'hidden_states.0': [197, 192], 'hidden_states.1': [197, 192], last_hidden_state: [197, 192] }),
      'token last_hidden_state, tokens last_hidden_state 1 16, 192',
    ],
    [
      'class scores beside features',
      probed({ logits: [1000], pooler_output: [768] }),
      'vector pooler_output, none, 768',
    ],
  ])('%s', (_, at, expected) => expect(summary(at)).toBe(expected));
});

test('by name: others are not looked at', () => {
  const clip = probed({ image_embeds: [512], last_hidden_state: [50, 768], pooler_output: [768] });
  expect(summary(clip, { outputs: { cls: 'image_embeds' } })).toBe('vector image_embeds, none, 512');
  expect(summary(clip, { outputs: { patches: 'last_hidden_state' } })).toBe(
    'token last_hidden_state, tokens last_hidden_state 1 32, 768',
  );
  expect(summary(clip, { outputs: { cls: 'last_hidden_state' } })).toBe(
    'token last_hidden_state, tokens last_hidden_state 1 32, 768',
  );
  const scores = probed({ logits: [1000] });
  expect(summary(scores, { outputs: { cls: 'logits' } })).toBe('vector logits, none, 1000');
});

test('a patch size that is said has to fit; a usual one decides among those that fit', () => {
  // 8 x 8 patches of 28 px, or 7 x 7 of 32 px with 15 tokens before them
  const open = probed({ tokens: [64, 96] });
  expect(summary(open, { patchSize: 28 })).toBe('mean tokens, tokens tokens 0 28, 96');
  expect(summary(open, { usualPatchSize: 32 })).toBe('token tokens, tokens tokens 15 32, 96');
  const certain = probed({ tokens: [197, 96] });
  expect(summary(certain, { usualPatchSize: 4 })).toBe('token tokens, tokens tokens 1 16, 96');
});

describe('refused, with the outputs and how to name them', () => {
  test.each<[string, Probed, KnownOutputs, RegExp]>([
    ['no such output', probed({ a: [384] }), { outputs: { cls: 'b' } }, /no output b; at 224 x 224 pixels .* a \[B, 384\]; name/],
    ['two vectors', probed({ a: [384], b: [384] }), {}, /which output is CLS cannot be told; .*a \[B, 384\], b \[B, 384\]/],
    ['two kinds of tokens', probed({ a: [197, 384], b: [197, 384] }), {}, /several outputs are the patches cannot be told/],
    ['tokens and an unknown vector', probed({ a: [197, 384], b: [384] }), {}, /which output is CLS cannot be told/],
    ['class scores alone', probed({ logits: [1000] }), {}, /class scores are no features/],
    ['nothing of images', probed({ mask: [3, 4, 5, 6] }), {}, /no output is CLS or patches; .*mask \[B, 3, 4, 5, 6\]/],
    ['patches that fit no grid', probed({ a: [150, 384] }), {}, /a has no square grid of patches at 224 px/],
    ['an open patch size', probed({ a: [64, 96] }), {}, /patches of 32 px \(15 tokens before them\) or 28 px .*: say which/],
    ['a wrong patch size', probed({ a: [197, 384] }), { patchSize: 14 }, /14 px do not fit a at 224 px; 16 px .* would/],
    ['two widths', probed({ a: [197, 384], b: [512] }), { outputs: { cls: 'b', patches: 'a' } }, /b is 512, a 384/],
    ['a vector as patches', probed({ a: [384] }), { outputs: { patches: 'a' } }, /a is neither tokens/],
    ['maps with the channels last', probed({ a: [7, 7, 768] }), {}, /a has no square grid/],
    ['tokens that do not grow with the picture', probed({ a: [197, 96] }, { a: [197, 96] }), {}, /a has no square grid/],
  ])('%s', (_, at, known, said) => {
    expect(() => findOutputs(at, known)).toThrow(OnnxError);
    expect(() => findOutputs(at, known)).toThrow(said);
  });
});
