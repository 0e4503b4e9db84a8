import { expect, test } from 'vitest';
import { type ExchangeTime, ratesFrom } from './measure-exchanges';

/** What the model of an exchange says of four ranks of a node: see packages/tensor/src/plan/timeline.ts. */
function modelled(rates: { call: number; memory: number; reduce: number; logSumExp: number }): ExchangeTime[] {
  const message = 3 * 1.2e-6;
  const wire = (bytes: number): number => message + (0.75 * bytes) / rates.memory;
  const time = (
    kind: ExchangeTime['kind'],
    how: ExchangeTime['how'],
    bytes: number,
    seconds: number,
  ): ExchangeTime => ({
    kind,
    how,
    bytes,
    seconds,
  });
  const [small, middle, large] = [1024, 2 * 2 ** 20, 25 * 2 ** 20];
  return [
    time('allReduce', 'sum', small, 3 * rates.call + 2 * message),
    time('allReduce', 'sum', large, 6 * rates.call + 2 * wire(large) + (0.75 * large) / rates.reduce),
    time('allReduce', 'logSumExp', middle, 3 * rates.call + 2 * wire(middle) + (0.75 * middle) / 4 / rates.logSumExp),
    time('allGather', 'sum', 12 * 2 ** 20, 2 * rates.call + wire(4 * 12 * 2 ** 20)),
  ];
}

test('rates are those that the model takes as long with', () => {
  const rates = ratesFrom(modelled({ call: 3e-5, memory: 5e9, reduce: 1e10, logSumExp: 4e7 }), 4);
  const close = (value: number) => expect.closeTo(value, Math.max(0, 9 - Math.log10(value)));
  expect(rates).toEqual({
    callSeconds: expect.closeTo(3e-5, 12),
    memorySeconds: 1.2e-6,
    memory: close(5e9),
    reduce: close(1e10),
    logSumExp: close(4e7),
  });
});

test('what takes longer alone than with the rest leaves a tenth of the whole', () => {
  const times = modelled({ call: 3e-5, memory: 5e9, reduce: 1e10, logSumExp: 4e7 });
  const slow = times.map((time) => (time.kind === 'allGather' ? { ...time, seconds: 1 } : time));
  const [{ seconds }] = slow.filter(({ bytes }) => bytes === 25 * 2 ** 20) as [ExchangeTime];
  expect(ratesFrom(slow, 4).reduce).toBeCloseTo((0.75 * 25 * 2 ** 20) / (seconds / 10), 0);
});
