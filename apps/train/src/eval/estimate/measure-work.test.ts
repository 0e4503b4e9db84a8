import { expect, test } from 'vitest';
import { lineThrough, measureWork } from './measure-work';

const time = (seconds: number) => ({ seconds, processor: 2 * seconds });

test('what grows is the rate, what does not is there at any size', () => {
  const { each, constant } = lineThrough({ units: 10, time: time(3) }, { units: 30, time: time(7) });
  expect(each.seconds).toBeCloseTo(0.2);
  expect(each.processor).toBeCloseTo(0.4);
  expect(constant.seconds).toBeCloseTo(1);
});

test('where noise hides the difference, all is the time of units', () => {
  const last = { units: 20, time: time(4) };
  for (const before of [undefined, { units: 10, time: time(5) }])
    expect(lineThrough(before, last)).toEqual({ each: { seconds: 0.2, processor: 0.4 }, constant: time(0) });
});

test('no trial is larger than the work needs, and none is run for nothing', async () => {
  const sizes: number[] = [];
  const trial = (scale: number) => ({ units: scale, run: async () => void sizes.push(scale) });
  await measureWork({ name: 'small', units: 5, trial });
  expect(sizes.slice(0, 2)).toEqual([1, 1]);
  expect(Math.max(...sizes)).toBeLessThan(64);
  sizes.length = 0;
  expect((await measureWork({ name: 'none', units: 0, trial })).time).toEqual(time(0));
  expect(sizes).toEqual([]);
});
