import { expect, test } from 'vitest';
import { runRanks } from '../test/lockstep-ranks';
import { batchMean, batchMeanDistributed, centeredSoftmax, nextCenter } from './centering-arrays';

const logits = Float64Array.of(1, 2, 3, 5, 5, 5);

test('targets are the softmax of the centred logits over the temperature', () => {
  const targets = centeredSoftmax(logits, [2, 3], { center: Float64Array.of(0, 1, 2), temperature: 0.5 });
  // Row 0 is flat after centring; row 1 is 5, 4, 3, so neighbours differ by a factor e^2.
  expect([...targets.subarray(0, 3)]).toEqual([1 / 3, 1 / 3, 1 / 3]);
  expect(targets[3]! / targets[4]!).toBeCloseTo(Math.exp(2), 12);
  expect(targets[3]! + targets[4]! + targets[5]!).toBeCloseTo(1, 14);
});

test('huge logits do not overflow', () => {
  const targets = centeredSoftmax(Float32Array.of(3e38, -3e38), [1, 2], {
    center: new Float32Array(2),
    temperature: 0.04,
  });
  expect([...targets]).toEqual([1, 0]);
});

test('the centre moves towards the batch mean by one minus the momentum', () => {
  const mean = batchMean(logits, [2, 3]);
  expect([...mean]).toEqual([3, 3.5, 4]);
  expect([...nextCenter(Float64Array.of(1, 1, 1), mean, 0.75)]).toEqual([1.5, 1.625, 1.75]);
});

test('the mean leaves padding rows out', () => {
  expect([...batchMean(logits, [2, 3], { validRows: 1 })]).toEqual([1, 2, 3]);
});

test('the mean over ranks weighs every sample alike, however they are spread', async () => {
  const means = await runRanks(3, (rank, reducer) => {
    const own = [logits, logits.subarray(0, 0), logits.subarray(0, 3)][rank]!;
    return batchMeanDistributed(own, [own.length / 3, 3], reducer);
  });
  for (const mean of means) expect([...mean]).toEqual([7 / 3, 3, 11 / 3]);
});

test('a mean of nothing, or of a value that is not finite, is refused', () => {
  expect(() => batchMean(logits, [2, 3], { validRows: 0 })).toThrow(/mean of no samples/);
  expect(() => batchMean(Float64Array.of(1, Number.NaN), [1, 2])).toThrow('the mean logit of prototype 1 is NaN');
});

test('wrong centres, temperatures, momenta and logits are refused', () => {
  const center = new Float64Array(3);
  expect(() => centeredSoftmax(logits, [2, 3], { center: new Float64Array(2), temperature: 1 })).toThrow(
    'a centre of 2 values does not fit 3 prototypes',
  );
  expect(() => centeredSoftmax(logits, [2, 3], { center, temperature: -1 })).toThrow(/temperature -1/);
  expect(() => centeredSoftmax(Float64Array.of(1, 2, Number.NaN), [1, 3], { center, temperature: 1 })).toThrow(
    'is NaN at sample 0, prototype 2',
  );
  expect(() => nextCenter(center, new Float64Array(3), 1.1)).toThrow(/momentum 1.1/);
  expect(() => nextCenter(center, new Float64Array(2))).toThrow(/centre of 3 values does not fit 2/);
});
