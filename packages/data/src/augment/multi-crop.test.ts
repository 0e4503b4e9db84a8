import { describe, expect, it } from 'vitest';
import { drawMultiCrop, FRANCA_MULTI_CROP, type MultiCropConfig, multiCropRecipes, placeMultiCrop } from './multi-crop';

const IMAGE = { width: 320, height: 200 };
const recipes = multiCropRecipes(FRANCA_MULTI_CROP);

describe('recipes', () => {
  it('are two global views and the local ones', () => {
    expect(recipes.map(({ size }) => size)).toEqual([224, 224, 98, 98, 98, 98, 98, 98, 98, 98]);
  });

  it('solarize the second global view only', () => {
    expect(recipes.map(({ solarizeProbability }) => solarizeProbability)).toEqual([0, 0.2, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('blur as the official code does, or as it says on request', () => {
    const blur = (blur_probability: 'actual' | 'nominal'): number[] =>
      multiCropRecipes({ ...FRANCA_MULTI_CROP, blur_probability, local_crops_number: 1 }).map(
        ({ blurProbability }) => blurProbability,
      );
    expect(blur('actual')).toEqual([0, 0.9, 0.5]);
    expect(blur('nominal')).toEqual([1, 0.1, 0.5]);
  });
});

describe('drawn parameters', () => {
  const key = { seed: 11, position: 123_456 };

  it('are plain data', () => {
    const views = drawMultiCrop(recipes, IMAGE, key);
    expect(JSON.parse(JSON.stringify(views))).toEqual(views);
  });

  it('depend on seed, position and view alone, not on what was drawn before', () => {
    const again = drawMultiCrop(recipes, IMAGE, key);
    drawMultiCrop(recipes, IMAGE, { seed: 1, position: 2 });
    expect(drawMultiCrop(recipes, IMAGE, key)).toEqual(again);
    expect(drawMultiCrop(recipes, IMAGE, { ...key, position: 123_457 })).not.toEqual(again);
    expect(drawMultiCrop(recipes, IMAGE, { ...key, seed: 12 })).not.toEqual(again);
    expect(again[0]!.box).not.toEqual(again[1]!.box);
  });

  it('do not move when another number of local views is asked for', () => {
    const fewer = multiCropRecipes({ ...FRANCA_MULTI_CROP, local_crops_number: 2 });
    expect(drawMultiCrop(fewer, IMAGE, key)).toEqual(drawMultiCrop(recipes, IMAGE, key).slice(0, 4));
  });

  it('happen as often as their probabilities say', () => {
    const draws = 4000;
    const counts = { flip: 0, jitter: 0, grayscale: 0, blur: 0, solarize: 0 };
    for (let position = 0; position < draws; position++) {
      const view = drawMultiCrop(recipes.slice(0, 2), IMAGE, { seed: 2, position })[1]!;
      if (view.flip) counts.flip++;
      if (view.jitter) counts.jitter++;
      if (view.grayscale) counts.grayscale++;
      if (view.blurSigma !== null) counts.blur++;
      if (view.solarize !== null) counts.solarize++;
    }
    const expected = { flip: 0.5, jitter: 0.8, grayscale: 0.2, blur: 0.9, solarize: 0.2 };
    for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
      // 5 standard deviations of a binomial share with p = 1/2, the widest.
      expect(Math.abs(counts[name] / draws - expected[name]), name).toBeLessThan((5 * 0.5) / Math.sqrt(draws));
    }
  });

  it('stay inside their ranges', () => {
    for (let position = 0; position < 300; position++) {
      for (const { jitter, blurSigma } of drawMultiCrop(recipes, IMAGE, { seed: 9, position })) {
        if (blurSigma !== null) expect(blurSigma >= 0.1 && blurSigma < 2).toBe(true);
        if (!jitter) continue;
        expect(jitter.brightness >= 0.6 && jitter.brightness < 1.4).toBe(true);
        expect(jitter.contrast >= 0.6 && jitter.contrast < 1.4).toBe(true);
        expect(jitter.saturation >= 0.8 && jitter.saturation < 1.2).toBe(true);
        expect(jitter.hue >= -0.1 && jitter.hue < 0.1).toBe(true);
        expect(jitter.order.toSorted()).toEqual(['brightness', 'contrast', 'hue', 'saturation']);
      }
    }
  });
});

it('places views crop-major: all first views, then all second ones', () => {
  const views = [0, 1, 2].map((position) => drawMultiCrop(recipes.slice(0, 4), IMAGE, { seed: 1, position }));
  const { global, local } = placeMultiCrop(views);
  expect(global.map(({ image, slot }) => [image, slot])).toEqual([
    [0, 0],
    [0, 3],
    [1, 1],
    [1, 4],
    [2, 2],
    [2, 5],
  ]);
  expect(local.find(({ image, slot }) => image === 2 && slot === 5)!.params).toBe(views[2]![3]);
});

it.each([
  ['global_crops_size', 4],
  ['local_crops_size', 98.5],
  ['local_crops_number', -1],
  ['global_crops_scale', [0, 1]],
  ['local_crops_scale', [0.5, 0.4]],
  ['crops_ratio', [0, 1]],
  ['blur_sigma', [1, Number.NaN]],
  ['flip_probability', 1.5],
  ['jitter_hue', 0.6],
  ['jitter_contrast', -0.1],
  ['solarize_threshold', 256],
  ['blur_probability', 'never'],
] as const)('refuses %s = %j and names it', (name, value) => {
  const config = { ...FRANCA_MULTI_CROP, [name]: value } as unknown as MultiCropConfig;
  expect(() => multiCropRecipes(config)).toThrow(expect.objectContaining({ code: 'argument' }));
  expect(() => multiCropRecipes(config)).toThrow(`crops.${name}`);
});
