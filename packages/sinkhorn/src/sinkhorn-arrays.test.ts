import { alone } from '@franca/collective';
import { expect, test } from 'vitest';
import { runRanks } from '../test/lockstep-ranks';
import { batchMean, batchMeanDistributed } from './centering-arrays';
import { type SinkhornOptions, sinkhorn, sinkhornDistributed } from './sinkhorn-arrays';

/** Logits of a fixed, irregular pattern within plus or minus `scale`. */
function pattern(samples: number, prototypes: number, scale = 0.4): Float64Array {
  return Float64Array.from({ length: samples * prototypes }, (_, i) => scale * Math.sin(1 + i * i * 0.37));
}

const rowSums = (targets: Float64Array, prototypes: number) =>
  Array.from({ length: targets.length / prototypes }, (_, s) =>
    targets.subarray(s * prototypes, (s + 1) * prototypes).reduce((sum, value) => sum + value, 0),
  );

test('reproduces the worked example of four samples and three prototypes at temperature 0.05', () => {
  const logits = Float64Array.of(0.1, 0.2, 0, 0.3, -0.1, 0.05, 0, 0.4, -0.2, 0.25, 0.15, 0.1);
  const targets = sinkhorn(logits, [4, 3], { temperature: 0.05 });
  const expected = [
    [0.150935, 0.224808, 0.624256],
    [0.829199, 0.000056, 0.170745],
    [0.00166, 0.997411, 0.000929],
    [0.392342, 0.010703, 0.596955],
  ].flat();
  // Printed to six decimals.
  targets.forEach((target, i) => {
    expect(Math.abs(target - expected[i]!)).toBeLessThan(6e-7);
  });
  const masses = [0, 1, 2].map((k) => targets.filter((_, i) => i % 3 === k).reduce((sum, value) => sum + value, 0));
  [1.374136, 1.232978, 1.392886].forEach((mass, k) => {
    expect(Math.abs(masses[k]! - mass)).toBeLessThan(6e-7);
  });
});

test('with many iterations every prototype gets the same mass', () => {
  const targets = sinkhorn(pattern(30, 5), [30, 5], { temperature: 0.1, iterations: 200 });
  for (let k = 0; k < 5; k++) {
    const mass = targets.filter((_, i) => i % 5 === k).reduce((sum, value) => sum + value, 0);
    expect(mass).toBeCloseTo(30 / 5, 9);
  }
});

test('a single sample belongs to all prototypes alike, and a single prototype takes everything', () => {
  expect([...sinkhorn(pattern(1, 4), [1, 4], { temperature: 0.05 })].map((x) => x.toFixed(12))).toEqual(
    new Array(4).fill('0.250000000000'),
  );
  expect([...sinkhorn(pattern(4, 1), [4, 1], { temperature: 0.05 })]).toEqual([1, 1, 1, 1]);
});

test('a constant added to all logits changes nothing', () => {
  const logits = pattern(6, 5);
  const shifted = logits.map((logit) => logit + 100);
  const targets = sinkhorn(logits, [6, 5], { temperature: 0.07 });
  // 100 / 0.07 has an ulp of 2.3e-13.
  sinkhorn(shifted, [6, 5], { temperature: 0.07 }).forEach((target, i) => {
    expect(Math.abs(target - targets[i]!)).toBeLessThan(5e-12);
  });
});

test.each([
  ['far above the range of exp', pattern(8, 6, 1e6)],
  ['at the limit of f32', Float32Array.from(pattern(8, 6, 3.4e38))],
  ['all far below the range of exp', pattern(8, 6).map((logit) => logit - 1e9)],
  ['one prototype far from every sample', pattern(8, 6).map((logit, i) => (i % 6 === 2 ? -1e5 : logit))],
  ['one sample far from every prototype', pattern(8, 6).map((logit, i) => (i < 6 ? logit - 1e5 : logit))],
])('logits %s give distributions', (_, logits) => {
  const targets = sinkhorn(logits, [8, 6], { temperature: 0.04 });
  for (const sum of rowSums(targets, 6)) expect(sum).toBeCloseTo(1, 12);
});

test('a prototype that all samples are far from gets its share, as if its logits were near', () => {
  // The first step divides a prototype's constant out, so a constant column offset has no effect at all.
  const near = pattern(8, 6);
  const dead = near.map((logit, i) => (i % 6 === 2 ? logit - 1000 : logit));
  const expected = sinkhorn(near, [8, 6], { temperature: 0.04 });
  // 1000 / 0.04 has an ulp of 3.6e-12.
  sinkhorn(dead, [8, 6], { temperature: 0.04 }).forEach((target, i) => {
    expect(Math.abs(target - expected[i]!)).toBeLessThan(1e-10);
  });
});

test('padding rows are excluded: they change nothing and have no target', () => {
  const logits = pattern(9, 4);
  const targets = sinkhorn(logits, [9, 4], { temperature: 0.05, validRows: 6 });
  expect(targets.subarray(0, 24)).toEqual(sinkhorn(logits.subarray(0, 24), [6, 4], { temperature: 0.05 }));
  expect(targets.subarray(24)).toEqual(new Float64Array(12));
});

test('padding rows are never read when excluded', () => {
  const logits = pattern(3, 4);
  logits.fill(Number.NaN, 8);
  expect(rowSums(sinkhorn(logits, [3, 4], { temperature: 0.05, validRows: 2 }), 4)[2]).toBe(0);
});

test('padding rows can be included, as the official patch targets do', () => {
  const logits = pattern(9, 4);
  const included = sinkhorn(logits, [9, 4], { temperature: 0.05, validRows: 6, padding: 'include' });
  expect(included).toEqual(sinkhorn(logits, [9, 4], { temperature: 0.05 }));
});

test('no sample at all is valid', () => {
  expect(sinkhorn(new Float32Array(0), [0, 4], { temperature: 0.05 })).toEqual(new Float64Array(0));
  expect(sinkhorn(pattern(2, 4), [2, 4], { temperature: 0.05, validRows: 0 })).toEqual(new Float64Array(8));
});

test('samples spread unevenly over ranks, one of them empty, get the targets of one rank', async () => {
  const [samples, prototypes] = [11, 5];
  const logits = pattern(samples, prototypes, 30);
  const whole = sinkhorn(logits, [samples, prototypes], { temperature: 0.04 });
  const bounds = [0, 4, 4, 5, samples];
  const parts = await runRanks(4, (rank, reducer) => {
    const [from, to] = [bounds[rank]!, bounds[rank + 1]!];
    const own = logits.subarray(from * prototypes, to * prototypes);
    return sinkhornDistributed(own, [to - from, prototypes], { temperature: 0.04 }, reducer);
  });
  const joined = parts.flatMap((part) => [...part]);
  expect(joined).toHaveLength(whole.length);
  // Only the order of the f64 sums differs: logits / tau of 750 have an ulp of 1.1e-13.
  joined.forEach((target, i) => {
    expect(Math.abs(target - whole[i]!)).toBeLessThan(1e-11);
  });
});

test('ranks without any sample get no targets', async () => {
  const parts = await runRanks(2, (_, reducer) =>
    sinkhornDistributed(new Float64Array(0), [0, 3], { temperature: 1 }, reducer),
  );
  expect(parts).toEqual([new Float64Array(0), new Float64Array(0)]);
});

test('a communicator of @franca/collective is a reducer', async () => {
  await using ranks = alone();
  const logits = pattern(6, 5, 30);
  const options = { temperature: 0.04 };
  expect(await sinkhornDistributed(logits, [6, 5], options, ranks)).toEqual(sinkhorn(logits, [6, 5], options));
  expect(await batchMeanDistributed(logits, [6, 5], ranks)).toEqual(batchMean(logits, [6, 5]));
});

test('a value that is not finite fails every rank, and only its own names it', async () => {
  const messages = await runRanks(2, (rank, reducer) => {
    const logits = pattern(3, 2);
    if (rank === 1) logits[3] = Number.NaN;
    return sinkhornDistributed(logits, [3, 2], { temperature: 1 }, reducer).then(
      () => 'no error',
      (error: Error) => error.message,
    );
  });
  expect(messages[0]).toMatch(/a logit of another rank is NaN or infinite/);
  expect(messages[1]).toMatch(/is NaN at sample 1, prototype 1/);
});

test.each<[SinkhornOptions, string]>([
  [{ temperature: 0 }, 'temperature 0 is not a positive number'],
  [{ temperature: Number.NaN }, 'temperature NaN is not a positive number'],
  [{ temperature: 1, iterations: 0 }, 'iterations 0 is not a positive integer'],
  [{ temperature: 1, validRows: 4 }, 'validRows 4 is not an integer from 0 to the 3 rows given'],
])('%o is refused', (options, message) => {
  expect(() => sinkhorn(pattern(3, 2), [3, 2], options)).toThrow(message);
  expect(() => sinkhorn(pattern(3, 2), [3, 2], options)).toThrow(expect.objectContaining({ code: 'options' }));
});

test('logits of another shape, and values that are not finite, are refused', () => {
  expect(() => sinkhorn(pattern(3, 2), [2, 2], { temperature: 1 })).toThrow('6 logits are not [2, 2]');
  expect(() => sinkhorn(new Float64Array(0), [0, 0], { temperature: 1 })).toThrow(/are not \[0, 0\]/);
  const infinite = Float32Array.of(1, 2, 3, Number.POSITIVE_INFINITY);
  expect(() => sinkhorn(infinite, [2, 2], { temperature: 1 })).toThrow('is Infinity at sample 1, prototype 1');
});
