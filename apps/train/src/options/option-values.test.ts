import { expect, test } from 'vitest';
import { indexList, integerList, namedData, numberList, positiveInteger, trainTest } from './option-values';

test('values are read', () => {
  expect(positiveInteger('20')).toBe(20);
  expect(numberList('0.1,5e-3')).toEqual([0.1, 0.005]);
  expect(integerList('10,20')).toEqual([10, 20]);
  expect(indexList('0,3')).toEqual([0, 3]);
  expect(trainTest('2000,500')).toEqual({ train: 2000, test: 500 });
  expect(namedData('b=d/e', namedData('a=c'))).toEqual({ a: 'c', b: 'd/e' });
});

test.each<[(text: string) => unknown, string[]]>([
  [positiveInteger, ['0', '-1', '1.5', 'x', '', '1e400']],
  [numberList, ['0.1,,0.2', '-1', 'Infinity', '']],
  [integerList, ['10,1.5', '0', '1,']],
  [indexList, ['-1', '0,', '0.5']],
  [trainTest, ['1', '1,2,3', '0,1', 'a,b']],
  [namedData, ['a', '=b', 'a=']],
])('$0.name refuses what it cannot mean', (read, texts) => {
  for (const text of texts) expect(() => read(text), text).toThrow(/expected/);
});
