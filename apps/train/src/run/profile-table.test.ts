import { defaultTarget, type KernelTime, kernelSeconds, matmul, planStep, spec, sum } from '@franca/tensor';
import { expect, test } from 'vitest';
import { profileByKind, profileRows, profileTable } from './profile-table';

const plan = planStep(
  defaultTarget,
  {},
  (_, { a, b }) => {
    const product = matmul(a, b);
    return { product, columns: sum(product, [0]), rows: sum(product, [1]) };
  },
  { batch: { a: spec([300, 64]), b: spec([64, 48]) } },
);
const kernels = plan.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));
const times: KernelTime[] = [
  { label: 'matmul', kind: 'product', count: 1, milliseconds: 2, flops: 2 * 300 * 64 * 48, bytes: 1e6 },
  { label: 'sum', kind: 'reduction', count: 2, milliseconds: 1, flops: 2 * 300 * 48, bytes: 2e6 },
];

test('what was measured stands beside what the plan expects', () => {
  const rows = profileRows(times, plan);
  const sums = kernels.filter(({ kind }) => kind === 'reduction').map((kernel) => kernelSeconds(kernel, plan.target));
  expect(rows.map(({ label, count, milliseconds }) => [label, count, milliseconds])).toEqual([
    ['matmul', 1, 2],
    ['sum', 2, 1],
  ]);
  expect(rows[1]!.expectedMilliseconds).toBeCloseTo(sums.reduce((a, b) => a + b) * 1e3, 9);
  expect(rows[0]!.gigaflops).toBeCloseTo((2 * 300 * 64 * 48) / 1e9, 12);
});

test('kinds are the sums of their kernels', () => {
  const rows = profileRows([times[1]!, ...times, times[1]!], plan);
  expect(profileByKind(rows).map(({ kind, count, milliseconds }) => [kind, count, milliseconds])).toEqual([
    ['reduction', 6, 3],
    ['product', 1, 2],
  ]);
});

test('the table says what the expectation rests on', () => {
  const [title, ...lines] = profileTable(profileRows(times, plan), plan.target).split('\n');
  expect(title).toMatch(
    /^kernels of one step on WebGPU defaults: 3.0 ms; the plan expects [\d.]+ ms \(rates are expected, none was measured: /,
  );
  expect(lines.join('\n')).toMatch(/product +│ +1 │ +2.00 │ +0.\d\d │/);
});
