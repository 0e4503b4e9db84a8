import { createState, type Gpu } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initialise } from './initialise';
import { initialValues, normal, ONES, type ParameterSpecs, parameter, uniform, ZEROS } from './parameters';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ target: { maxBindingBytes: 4096 } });
});
afterAll(() => gpu.dispose());

/** Of two words, so that both reach the kernel. */
const SEED = 6 * 2 ** 32 + 5;

const specs: ParameterSpecs = {
  'a.weight': parameter([7, 5], normal(0.02)),
  'a.bias': parameter([7], ZEROS),
  // longer than a window
  'b.weight': parameter([1501], uniform(0.25)),
  'c.weight': parameter([3, 1, 1], ONES),
  'd.weight': parameter([130], normal(1)),
};

test('the values of initialValues, whatever the windows, and zero between parameters', async () => {
  using state = createState(gpu, { group: specs });
  expect(state.layout.group.windows.length).toBeGreaterThan(1);
  await initialise(gpu, state, 'group', specs, SEED);
  let sum = 0;
  for (const [name, spec] of Object.entries(specs)) {
    const values = await state.read('group', name);
    initialValues(name, spec, SEED).forEach((value, i) => {
      // the adapter's logarithm, cosine and sine at arguments up to 2 pi
      expect(Math.abs(values[i]! - value)).toBeLessThan(5e-6);
      sum += values[i]! !== 0 ? 1 : 0;
    });
  }
  const whole = new Float32Array(await gpu.readBytes(state.buffers.group[0]!, 0, 4 * state.layout.group.buffers[0]!));
  expect(whole.filter((value) => value !== 0).length).toBe(sum);
});

test('a group that the specs do not describe is refused', async () => {
  using state = createState(gpu, { group: specs });
  await expect(initialise(gpu, state, 'other', specs, 0)).rejects.toThrow('no group "other"');
  await expect(initialise(gpu, state, 'group', {}, 0)).rejects.toThrow('no initial value for "a.weight"');
  await expect(initialise(gpu, state, 'group', specs, 0.5)).rejects.toThrow('seed 0.5 is no whole number');
});
