import { expect, test } from 'vitest';
import { optionProblem } from './option-problem';

const known = { maskRatio: true, ks: true } as const;

test.each<[unknown, string | undefined]>([
  [{ maskRatio: 1, ks: [2] }, undefined],
  [{}, undefined],
  [{ ks: [2], mask_ratio: 1 }, 'there is no option "mask_ratio", it is called maskRatio; options are maskRatio, ks'],
  [{ k: 5 }, 'there is no option "k"; options are maskRatio, ks'],
  [{ toString: 1 }, 'there is no option "toString"; options are maskRatio, ks'],
  [5, 'options are 5; give an object'],
  [null, 'options are null; give an object'],
])('%o: %s', (given, problem) => {
  expect(optionProblem(given, known)).toBe(problem);
});
