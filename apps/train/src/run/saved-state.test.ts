import { expect, test } from 'vitest';
import { parseSavedState } from './saved-state';

const saved = {
  cursor: {
    sampler: { length: 48, seed: 0, drawn: 20 },
    badImages: { seen: 20, bad: 1 },
  },
  imagesSeen: 16,
  secondsSpent: 1.5,
};

test('what a checkpoint says about the run is read back', () => {
  expect(parseSavedState(JSON.parse(JSON.stringify(saved)), 'step-00000004')).toEqual(saved);
});

test('so is what one of the first versions says, which drew on one rank', () => {
  const sampler = { ...saved.cursor.sampler, rank: 0, world: 1 };
  const earlier = { ...saved, cursor: { ...saved.cursor, sampler } };
  expect(parseSavedState(earlier, 'step-00000004')).toEqual(saved);
});

test.each([
  [{ ...saved, secondsSpent: 'long' }, 'step-00000004 does not say where the run stands (secondsSpent: '],
  [{ ...saved, cursor: { ...saved.cursor, sampler: {} } }, '(cursor.sampler.length: '],
  [null, 'does not say where the run stands'],
])('%j is refused', (state, message) => {
  expect(() => parseSavedState(state, 'step-00000004')).toThrow(message);
});
