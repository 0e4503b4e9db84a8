import { afterAll, expect, test } from 'vitest';
import { compile } from '../compile';
import { createState } from '../device/state';
import { copiesOf } from '../graph/state-layout';
import { openGpu } from '../node';
import { grad } from '../passes/grad';
import { add, cast, mul } from './elementwise';
import { keptCast } from './kept-cast';
import { sum } from './reduce';
import { constant } from './sources';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

test('gives what a cast would and its gradient, without a kernel', async (context) => {
  context.skip(!gpu.target.f16, 'the adapter has no f16');
  const specs = { a: { shape: [5], dtype: 'f32' } } as const;
  using state = createState(gpu, { w: specs, half: copiesOf('w', specs) });
  state.write('w', 'a', [1, 1 + 2 ** -11, 0.1, -65504, 2 ** -24]);
  const factor = constant([1, 2, 3, 4, 2049], [5]);
  using step = await compile(
    gpu,
    ({ w: { tensors }, half }) => {
      const of = (values: () => ReturnType<typeof cast>) => {
        // two uses: 2049 + 1 is no f16, so that these would be added wrong in it
        const value = cast(add(sum(mul(cast(values(), 'f32'), factor)), sum(cast(values(), 'f32'))), 'f32');
        return { value, grads: grad(value, tensors) };
      };
      return { kept: of(() => keptCast(tensors.a, half.tensors.a)), made: of(() => cast(tensors.a, 'f16')) };
    },
    { state },
  );
  step.run();
  for (const path of ['value', 'grads.a'] as const)
    expect(await step.read(`kept.${path}`)).toEqual(await step.read(`made.${path}`));
  expect(() => keptCast(constant([1], [1]), constant([1, 2], [2]))).toThrow(/\[2\] is no copy of \[1\]/);
});
