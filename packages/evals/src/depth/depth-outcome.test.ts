import { expect, test } from 'vitest';
import { itemsValue } from '../compare/paired-difference';
import { paperResult } from '../report/paper-results';
import { depthMetrics } from './depth-metrics';
import { depthOutcomes } from './depth-outcome';
import { judgedDepth } from './depth-protocol';

const map = (...depths: number[]) => Float32Array.from(depths);

test('SI-RMSE and RMSE, each of its own items; an image without a reading is counted, not scored', () => {
  const truth = map(2, 4, 6, 0);
  const images = [
    depthMetrics(map(1, 2, 3, 9), truth),
    depthMetrics(map(2, 4, 7, 1), truth),
    depthMetrics(truth, map(0, 0, 0, 0)),
  ];
  expect(images[2]).toBeUndefined();
  expect(images[0]!.siRmse).toBeCloseTo(0, 12);
  expect(images[0]!.rmse).toBeCloseTo(Math.sqrt(14 / 3), 12);
  const [si, plain] = depthOutcomes(images, { protocol: 'probe3d', head: 'dpt', label: 'low', total: 3 });
  expect(si).toMatchObject({
    task: 'depth',
    variant: 'low',
    metric: 'SI-RMSE',
    evaluated: 2,
    total: 3,
    unit: 'number',
  });
  expect(plain).toMatchObject({ variant: 'low, plain', metric: 'RMSE', hyper: { unscored: 1, settings: 'own' } });
  for (const outcome of [si!, plain!]) expect(itemsValue(outcome.items!)).toBeCloseTo(outcome.value, 6);
  expect(depthOutcomes([undefined], { protocol: 'ridge' })).toEqual([]);
});

test("the paper's number stands beside a result by its protocol only", () => {
  const images = Array.from({ length: 654 }, () => depthMetrics(map(1, 2), map(1, 3)));
  const shown = (options: Parameters<typeof depthOutcomes>[1]) =>
    depthOutcomes(images, options).map((outcome) => paperResult({ ...outcome, dataset: 'nyuv2' }, 'Franca-B')?.values);
  expect(shown({ protocol: 'probe3d', head: 'dpt', label: 'low', isPaper: true })).toEqual([[0.33], undefined]);
  expect(shown({ protocol: 'probe3d', head: 'dpt', label: 'high', isPaper: true })).toEqual([[0.31], undefined]);
  expect(shown({ protocol: 'probe3d', head: 'dpt', label: 'low' })).toEqual([undefined, undefined]);
  expect(shown({ protocol: 'probe3d', head: 'linear', label: 'low', isPaper: true })).toEqual([undefined, undefined]);
  expect(shown({ protocol: 'probe3d-2025', head: 'dpt', label: 'low', isPaper: true })).toEqual([undefined, undefined]);
});

test('what a protocol judges by: not beyond 10 m; for DINOv3 inside the crop too', () => {
  expect(judgedDepth('probe3d', map(0, 10, 10.5, 0.0005), [2, 2])).toEqual(map(0, 10, 0, 0.0005));
  const kept = judgedDepth('dinov3', new Float32Array(480 * 640).fill(3), [480, 640]);
  expect(kept.reduce((sum, depth) => sum + Number(depth > 0), 0)).toBe((471 - 45) * (601 - 41));
  expect([kept[45 * 640 + 41], kept[44 * 640 + 41], kept[45 * 640 + 40]]).toEqual([3, 0, 0]);
});
