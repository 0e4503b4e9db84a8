import { cast, compile, input, interpret } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { checkOp } from '@franca/tensor/testing';
import { afterAll, expect, test } from 'vitest';
import { type ActivationName, activate } from './activations';

const gpu = await openGpu();
afterAll(() => gpu.dispose());

/** Phi by the series of the error function, which is exact to f64 for |x| <= 4. */
function normalCdf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

const FORMULAS: Readonly<Record<ActivationName, (x: number) => number>> = {
  gelu: (x) => x * normalCdf(x),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
};
const NAMES = Object.keys(FORMULAS) as ActivationName[];
const NEAR = Array.from({ length: 81 }, (_, i) => (i - 40) / 10);

test.each(NAMES)('%s is its formula, and the gradient its slope', async (name) => {
  const x = input('x', [NEAR.length]);
  const y = activate(x, name);
  const computed = interpret([y], { x: NEAR }).value(y).data;
  // f64 against f64
  for (const [i, at] of NEAR.entries()) expect(computed[i], `at ${at}`).toBeCloseTo(FORMULAS[name](at), 12);
  await checkOp(gpu, (tensor) => activate(tensor, name), [{ shape: [7, 3] }], { directions: 8 });
});

test('large numbers become themselves or 0, in f16 too where there is one', async () => {
  const values = [-3e4, -300, 300, 3e4];
  const dtypes = gpu.target.f16 ? (['f32', 'f16'] as const) : (['f32'] as const);
  const cases = dtypes.flatMap((dtype) => NAMES.map((name) => [dtype, name] as const));
  using step = await compile(
    gpu,
    (_, { x }) =>
      Object.fromEntries(cases.map(([dtype, name]) => [dtype + name, cast(activate(cast(x, dtype), name), 'f32')])),
    { batch: { x: { shape: [values.length], dtype: 'f32' } } },
  );
  step.run({ x: values });
  // factors are rounded to 11 bits in f16
  for (const [dtype, name] of cases)
    for (const [i, y] of (await step.read(dtype + name)).entries())
      expect(Math.abs(y - Math.max(values[i]!, 0)), `${name} in ${dtype} at ${values[i]}`).toBeLessThanOrEqual(
        Math.abs(values[i]!) * 1e-3,
      );
});

test('a name that there is not is refused', () => {
  const x = input('x', [1]);
  expect(() => activate(x, 'relu' as 'gelu')).toThrow(/no activation "relu"; there are gelu, gelu_tanh, quick_gelu/);
});
