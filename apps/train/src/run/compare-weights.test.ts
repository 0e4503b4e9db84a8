import { expect, test } from 'vitest';
import { onRanks } from '../../test/lockstep-communicators';
import { isAgreed } from '../ranks/known-to-all';
import { compareWeights, unlikeMost } from './compare-weights';

const stateWith = (value: number) => ({
  layout: { student: { segments: { w: {} } }, teacher: { segments: { w: {} } } },
  read: async (group: string) => Float32Array.of(1, group === 'teacher' ? value : 2),
});
const compare = (values: number[]) =>
  onRanks(values.length, (ranks) => compareWeights(ranks, stateWith(values[ranks.rank]!) as never, 'after step 3'));

test('equal weights pass', async () => {
  for (const { status } of await compare([4, 4, 4])) expect(status).toBe('fulfilled');
});

test('a rank that differs in one bit of the teacher is named on all, be it the first', async () => {
  for (const [drifted, values] of [
    [2, [4, 4, 4 + 2 ** -20]],
    [0, [4.5, 4, 4]],
  ] as const)
    for (const outcome of await compare([...values])) {
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason.message).toMatch(
        new RegExp(
          `^the weights of rank ${drifted} of 3, node${drifted} are not those of the other ranks after step 3`,
        ),
      );
      expect(isAgreed(reason)).toBe(true);
    }
});

test('of two ranks that differ the second is named', () => {
  expect(unlikeMost(['a', 'b'])).toEqual([1]);
  expect(unlikeMost(['a', 'b', 'c', 'b'])).toEqual([0, 2]);
});
