import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type OptionKinds, optionProblem, type ValueKind, valueProblem } from './option-problem';

const known: OptionKinds<{ maskRatio?: number; ks?: number[]; mode?: 'a' | 'b'; any?: unknown }> = {
  maskRatio: 'number',
  ks: 'numbers',
  mode: ['a', 'b'],
  any: true,
};
const names = 'options are maskRatio, ks, mode, any';

test.each<[unknown, string | undefined]>([
  [{ maskRatio: 1, ks: [2], mode: 'b', any: null }, undefined],
  [{ maskRatio: undefined }, undefined],
  [{}, undefined],
  [{ ks: [2], mask_ratio: 1 }, `there is no option "mask_ratio", it is called maskRatio; ${names}`],
  [{ k: 5 }, `there is no option "k"; ${names}`],
  [{ toString: 1 }, `there is no option "toString"; ${names}`],
  [{ maskRatio: '0.75' }, 'maskRatio is "0.75"; it must be a number'],
  [{ ks: 5 }, 'ks is 5; it must be an array of numbers'],
  [{ ks: [1, '2'] }, 'ks is [1,"2"]; it must be an array of numbers'],
  [{ mode: 'c' }, 'mode is "c"; it must be one of a, b'],
  [{ mode: null }, 'mode is null; it must be one of a, b'],
  [5, 'options are 5; give an object'],
  [null, 'options are null; give an object'],
  [[1], 'options are [1]; give an object'],
])('%o: %s', (given, problem) => {
  expect(optionProblem(given, known)).toBe(problem);
});

test.each<[unknown, ValueKind, string | undefined]>([
  [new Float32Array(2), 'Float32Array', undefined],
  [runInNewContext('new Float32Array(2)'), 'Float32Array', undefined],
  [Buffer.of(1), 'Uint8Array', undefined],
  [[new Float32Array(1)], 'Float32Arrays', undefined],
  [[[1]], 'Float32Arrays', 'x is an Array; it must be an array of Float32Arrays'],
  [{}, 'object', undefined],
  [Number.NaN, 'number', 'x is NaN; it must be a number'],
  [7, 'Uint8Array', 'x is 7; it must be a Uint8Array'],
  [new Float64Array(1), 'list', undefined],
  ['ab', 'list', 'x is "ab"; it must be an array or a typed array'],
  [[1, 2], 'Int32Array', 'x is [1,2]; it must be an Int32Array; Int32Array.from makes one'],
  [new Float64Array(9), 'Float32Array', 'x is a Float64Array; it must be a Float32Array; Float32Array.from makes one'],
  [Promise.resolve(), 'object', 'x is a Promise; await it'],
  [undefined, 'object', 'x is undefined; it must be an object'],
  [() => 1, 'strings', 'x is a function; it must be an array of strings'],
  [new Array(9).fill({}), 'object', 'x is an Array; it must be an object'],
])('a value %o as %s: %s', (value, kind, problem) => {
  expect(valueProblem('x', value, kind)).toBe(problem);
});
