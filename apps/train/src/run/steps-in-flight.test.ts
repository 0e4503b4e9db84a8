import { expect, test } from 'vitest';
import { stepsInFlight } from './steps-in-flight';

/** Steps whose ends are called by hand, in the order of their submission. */
function stepOn(family: 'cpu' | 'gpu') {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let submitted: Promise<void> = Promise.resolve();
  const step = { plan: { target: { family } }, done: () => submitted } as Parameters<typeof stepsInFlight>[0];
  return {
    step,
    ends,
    submit() {
      submitted = new Promise((resolve, reject) => void ends.push({ resolve, reject }));
    },
  };
}

const isOpen = async (room: Promise<void>): Promise<boolean> =>
  Promise.race([room.then(() => true), new Promise<boolean>((resolve) => void setImmediate(() => resolve(false)))]);

test.each([
  ['a GPU: the one before the last is over', 'gpu', 1, 1],
  ['a software adapter: the last is over', 'cpu', 1, 0],
  ['several ranks: the last is over', 'gpu', 2, 0],
] as const)('a step is submitted on %s', async (_, family, size, ahead) => {
  const { step, ends, submit } = stepOn(family);
  const steps = stepsInFlight(step, { size });
  for (let i = 0; i < 4; i++) {
    if (i > ahead) {
      expect(await isOpen(steps.room())).toBe(false);
      ends[i - 1 - ahead]!.resolve();
    }
    expect(await isOpen(steps.room())).toBe(true);
    submit();
    steps.submitted();
  }
});

test('what a step fails with is thrown before the second one after it', async () => {
  const { step, ends, submit } = stepOn('gpu');
  const steps = stepsInFlight(step, { size: 1 });
  for (let i = 0; i < 2; i++) {
    await steps.room();
    submit();
    steps.submitted();
  }
  ends[0]!.reject(new Error('lost'));
  await expect(steps.room()).rejects.toThrow('lost');
});
