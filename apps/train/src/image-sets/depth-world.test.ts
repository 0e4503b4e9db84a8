/** The generated world as pictures with depth, whose truth is exact. */
import { generatedScenes } from '@franca/data';
import { depthMetrics } from '@franca/evals';
import { expect, it } from 'vitest';
import { openDepthSet } from './depth-layouts';

const SPEC = 'world:size=24:length=3';

it('has the depth that its pictures were drawn with, in metres of a toy height, and no reading in the sky and beyond ten metres', async () => {
  await using set = await openDepthSet(SPEC);
  expect([set.train!.length, set.test.length, set.train!.split, set.test.split]).toEqual([3, 3, 'train', 'val']);
  let unread = 0;
  for (const [part, split] of [
    [set.train!, 'train'],
    [set.test, 'val'],
  ] as const) {
    const scenes = generatedScenes({ size: 24, length: 3, split });
    for (let index = 0; index < 3; index++) {
      const { image, depth, instance } = scenes.sample(index);
      expect(await part.read(index)).toEqual(image);
      // as read again
      for (const _ of [1, 2]) {
        const { width, height, data } = await part.depth(index);
        expect([width, height]).toEqual([24, 24]);
        expect(data).toEqual(depth.map((distance) => (distance > 10 ? 0 : distance)));
        expect(Math.min(...data.filter((_, pixel) => instance[pixel]! > 0))).toBeGreaterThan(0.1);
        unread += data.filter((distance) => distance === 0).length;
      }
    }
  }
  expect(unread).toBeGreaterThan(0);
});

it('is predicted without an error by itself, and but for scale and shift by what is one of it', async () => {
  await using set = await openDepthSet(SPEC);
  for (let index = 0; index < set.test.length; index++) {
    const { data } = await set.test.depth(index);
    const own = depthMetrics(data, data)!;
    expect([own.rmse, own.siRmse, own.absRel]).toEqual([0, 0, 0]);
    expect([own.d1, own.d2, own.d3, own.siD1]).toEqual([1, 1, 1, 1]);
    const affine = depthMetrics(
      data.map((distance) => 0.25 * distance + 3),
      data,
    )!;
    expect(affine.rmse).toBeGreaterThan(0.5);
    // f32 rounding of the prediction, times the scale
    expect(affine.siRmse).toBeLessThan(1e-5);
    expect(affine.siD1).toBe(1);
  }
});

it('has as many pictures as the name says, or 400 to learn from and 100 to test on', async () => {
  await using set = await openDepthSet('world:easy:size=16', { limits: { train: 8, test: 4 } });
  expect([set.train!.length, set.train!.total, set.test.length, set.test.total]).toEqual([8, 400, 4, 100]);
  await expect(openDepthSet('world', { split: 'val' })).rejects.toMatchObject({ code: 'usage' });
});
