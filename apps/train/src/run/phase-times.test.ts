import { expect, test } from 'vitest';
import { createPhaseTimes } from './phase-times';

const spin = (milliseconds: number): void => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

test('phases get the time that passed in them, means are over the steps, a restart forgets', () => {
  const phases = createPhaseTimes();
  spin(30);
  phases.end('before');
  phases.restart();
  for (let step = 0; step < 2; step++) {
    phases.end('nothing');
    spin(10);
    phases.end('work');
  }
  const text = phases.describe(2);
  expect(text).not.toContain('before');
  const [, milliseconds, share] = /work +([\d.]+) ms +([\d.]+) %/.exec(text)!.map(Number);
  expect(milliseconds).toBeGreaterThanOrEqual(10);
  expect(share).toBeGreaterThan(50);
  // one thread was busy all along
  expect(Number(/([\d.]+) ms of processor time/.exec(text)![1])).toBeGreaterThan(1);
});
