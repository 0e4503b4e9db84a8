import { afterAll, expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { compile } from '../compile';
import { copiesOf, layoutState } from '../graph/state-layout';
import { openGpu } from '../node';
import { assign } from '../ops/assign';
import { mul } from '../ops/elementwise';
import { sum } from '../ops/reduce';
import { createState } from './state';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
const specs = { a: f32(5), b: f32(300), rest: f32(4) };
const used = { a: specs.a, b: specs.b };
const groups = {
  w: specs,
  half: copiesOf('w', used),
  teacher: specs,
  teacherHalf: copiesOf('teacher', used),
};
const values = [1, 1 + 2 ** -11, 0.1, -65504, 2 ** -14];
const rounded = [1, 1, 0.0999755859375, -65504, 2 ** -14];

test('copies follow what is written and copied, rounded to nearest even; the rest of the group has none', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  using state = createState(gpu, groups);
  state.write('w', 'a', values);
  state.write('w', 'rest', [1, 2, 3, 4]);
  expect(Array.from(await state.read('half', 'a'))).toEqual(rounded);
  expect(Array.from(await state.read('teacherHalf', 'a'))).toEqual([0, 0, 0, 0, 0]);
  state.copy('w', 'teacher');
  expect(Array.from(await state.read('teacherHalf', 'a'))).toEqual(rounded);
  const refusal = /"half" holds copies of "w", and follows what is written there/;
  expect(() => state.write('half', 'a', values)).toThrow(refusal);
  expect(() => state.copy('teacherHalf', 'half')).toThrow(refusal);
});

test('a step that updates the originals alone, and one that only reads: copies are there when they are read', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  using state = createState(gpu, groups);
  using doubling = await compile(gpu, (s) => void assign(s.w.tensors.a, mul(s.w.tensors.a, 2)), { state });
  using reading = await compile(gpu, (s) => ({ a: s.half.tensors.a, b: sum(s.half.tensors.b) }), { state });
  state.write('w', 'a', [1, 2, 3, 4, 5]);
  doubling.run();
  const { bindGroups, pipelines } = gpu.created;
  for (const factor of [2, 4]) {
    reading.run();
    expect(Array.from(await reading.read('a'))).toEqual([1, 2, 3, 4, 5].map((value) => value * factor));
    doubling.run();
  }
  expect(gpu.created).toMatchObject({ bindGroups, pipelines });
});

test('copies lie beside their originals, window by window, and take half the bytes', () => {
  const { w, half } = layoutState(groups, { ...defaultTarget, maxBindingBytes: 1024, maxBufferBytes: 2048 });
  expect(half.segments.b!.offset).toBe(w.segments.b!.offset);
  expect(half.windows).toEqual(w.windows.slice(0, half.windows.length));
  expect([half.copyOf, half.bytes]).toEqual(['w', w.buffers[0]! * 2]);
});

test.each<[string, object]>([
  ['other shapes', { ...used, b: f32(299) }],
  ['another order', { b: specs.b, a: specs.a }],
  ['tensors that do not come first', { a: specs.a, rest: specs.rest }],
])('%s are refused', (_, wrong) => {
  expect(() => layoutState({ w: specs, half: copiesOf('w', wrong) }, defaultTarget)).toThrow(
    /group "half" holds copies of "w", the first tensors of it in their order; "\w+" is not the next of them/,
  );
});
