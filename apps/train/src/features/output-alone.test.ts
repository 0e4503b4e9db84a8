/** What evaluations ask of a model that gives its output alone: each of them, by the functions that they ask. */
import { describe, expect, test, vi } from 'vitest';
import type { EvalContext } from '../eval/context';
import { matchSizes } from '../eval/correspondence/sizes';
import { matchTokens } from '../eval/correspondence/tokens';
import { checkModel, planDepth } from '../eval/depth/depth-plan';
import type { DepthSize } from '../eval/depth/depth-sizes';
import { refuseInside } from '../eval/discovery/settings';
import { type ProbeOptions, planProbe } from '../eval/train-probe';
import { type OutputAlone, requirePatches, requireSides } from './output-alone';

const file: OutputAlone = {
  what: 'the ONNX file',
  ...{ hasPatches: true, hasPatchMean: true, side: undefined },
  patchesBy: '--outputs patches=<name> names patches',
};
const alone = { outputAlone: file };
const ofOneSide = { outputAlone: { ...file, side: 224 } };

test('patches and sizes', () => {
  for (const weights of [{}, alone]) {
    requirePatches(weights);
    requireSides(weights, undefined);
    requireSides(weights, [[480, 640]]);
  }
  expect(() => requirePatches({ outputAlone: { ...file, hasPatches: false } })).toThrow(
    /reads patch tokens, and the ONNX file gives none; knn, .*--outputs patches=<name>/,
  );
  requireSides(ofOneSide, [[224, 224]]);
  expect(() =>
    requireSides(ofOneSide, [
      [224, 224],
      [480, 640],
    ]),
  ).toThrow(/shows pictures of 640 x 480 .* 224 x 224 alone$/);
  expect(() => requireSides(ofOneSide, undefined)).toThrow(/pictures at sizes of their own/);
});

test('discovery reads the output under the settings that its refusal names', () => {
  refuseInside({}, {});
  refuseInside(alone, { features: ['output'], methods: ['tokencut', 'lost'] });
  const said = /reads queries, keys, values and attention, .* --features output --methods tokencut,lost reads that$/;
  for (const options of [
    {},
    { features: ['output'] },
    { methods: ['lost'] },
    { features: ['output'], methods: ['lost'], sweep: true },
  ] as const)
    expect(() => refuseInside(alone, options)).toThrow(said);
});

test('key points: tokens after the norm, at the one size that there is', () => {
  const model = { size: 224, patchSize: 16, depth: 1, hasRasa: false, ...ofOneSide };
  expect(() => matchTokens(model, {})).toThrow(/tokens before the final norm, .* --feature after-norm reads that$/);
  expect(matchTokens(model, { feature: 'after-norm' })).toEqual({ block: 0, norm: true });
  expect(matchSizes(model, {}).map(({ side }) => side)).toEqual([224]);
  expect(() => matchSizes(model, { protocol: 'paper' })).toThrow(/pictures of 800 x 800 pixels, .* 224 x 224 alone/);
});

test('depth: the protocol of one block', () => {
  const at = (side: number) => [{ preparation: { input: [side, side] } } as unknown as DepthSize];
  checkModel({}, planDepth({}), at(480));
  checkModel(ofOneSide, planDepth({ protocol: 'dinov3' }), at(224));
  expect(() => checkModel(alone, planDepth({ probe: 'ridge' }), at(224))).toThrow(
    /before the final norm, .* dinov3, with one block, reads that/,
  );
  expect(() => checkModel(ofOneSide, planDepth({ protocol: 'dinov3' }), at(480))).toThrow(/480 x 480/);
});

describe('a linear probe says which classifiers it is without', () => {
  test.each<[string, OutputAlone | undefined, ProbeOptions, readonly unknown[]]>([
    ['none', undefined, {}, []],
    [
      'those of four blocks',
      file,
      {},
      ['linear: the ONNX file gives its output alone: classifiers read CLS of the last block, none of four'],
    ],
    [
      'those of means of patches too',
      { ...file, hasPatchMean: false },
      {},
      [expect.stringMatching(/none of four, and none the mean of patches$/)],
    ],
    [
      "which is not the paper's",
      file,
      { protocol: 'paper' },
      [expect.stringMatching(/^linear: not the paper's: the ONNX file gives its output alone/)],
    ],
  ])('%s', (_, outputAlone, options, notes) => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const context = {
      session: () => ({ weights: { outputAlone } }),
      model: () => ({ depth: 1 }),
      input: () => ({ size: 224, patchSize: 16 }),
    } as unknown as EvalContext;
    expect(planProbe('linear', context, options).followed.notes).toEqual(notes);
    vi.restoreAllMocks();
  });
});
