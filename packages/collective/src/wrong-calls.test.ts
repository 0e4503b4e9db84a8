/** Calls that plain JavaScript makes and no compiler sees: each is refused by name before anything is sent. */
import { expect, test } from 'vitest';
import * as collective from './index';

const js = collective as unknown as Readonly<Record<string, (...given: readonly unknown[]) => unknown>>;
const ranks = collective.alone() as unknown as Readonly<Record<string, (...given: readonly unknown[]) => unknown>>;
const [f32, f64] = [new Float32Array(4), new Float64Array(4)];

test.each<[string, () => unknown, string, RegExp]>([
  ['options that are none', () => js.openCommunicator!(5), 'options', /options are 5; give an object/],
  [
    'a misspelt option',
    () => js.openCommunicator!({ verison: '1' }),
    'options',
    /no option "verison"; options are version, /,
  ],
  ['a version that is no text', () => js.openCommunicator!({ version: 1 }), 'options', /version is 1; give a text/],
  ['seconds below 0', () => js.openCommunicator!({ openSeconds: -1 }), 'options', /openSeconds is -1/],
  ['no array', () => ranks.allReduce!([1, 2], f32), 'argument', /send is 1,2; give one of Float32Array/],
  ['half floats', () => ranks.allReduce!(new Uint16Array(4), f32), 'argument', /send is Uint16Array/],
  ['two types', () => ranks.allReduce!(f32, f64), 'argument', /Float32Array \[4\] does not go into Float64Array \[4\]/],
  [
    'two lengths',
    () => ranks.allGather!(f32, new Float32Array(3)),
    'argument',
    /\[4\] does not go into Float32Array \[3\]/,
  ],
  ['a reduction that there is not', () => ranks.allReduce!(f32, f32, 'mean'), 'argument', /no reduction "mean"/],
  [
    'log sum exp of bytes',
    () => ranks.reduceScatter!(new Uint8Array(2), new Uint8Array(2), 'logSumExp'),
    'argument',
    /logSumExp is of floats/,
  ],
  [
    'arrays that overlap',
    () => ranks.allReduce!(f32.subarray(0, 3), f32.subarray(1)),
    'argument',
    /share a part of their memory/,
  ],
  ['no environment', () => js.findLauncher!(), 'argument', /takes an environment, such as process.env, not undefined/],
  ['a root that there is not', () => ranks.broadcast!(f32, 1), 'argument', /no rank 1 among 1/],
])('%s', async (_, call, code, message) => {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (reason) => reason,
    );
  expect(error).toBeInstanceOf(collective.CollectiveError);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});

test('an exit status that is none is refused before the process ends', () => {
  expect(() => ranks.abort!(1.5)).toThrow(/an exit status is 0 to 255, not 1.5/);
});
