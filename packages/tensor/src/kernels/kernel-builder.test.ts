import { expect, test } from 'vitest';
import { defaultTarget } from '../base/target';
import { planStep } from '../compile';
import { openGpu } from '../node';
import { softmax } from '../ops/rows/softmax';
import { checkOp } from '../testing';
import { kernelBuilder, scratch } from './kernel-builder';
import { unitKernel } from './unit-kernel';

const build = (body: string, serial?: number) =>
  kernelBuilder('looping', defaultTarget).build({
    body,
    workgroupSize: 64,
    workgroups: 1,
    ...(serial === undefined ? {} : { serial }),
  });

test.each(['for (var i = 0u; i < 3u; i++) { }', 'while (true) { break; }', 'loop { break; }'])(
  'a kernel with "%s" says how long its loop is',
  (loop) => {
    expect(() => build(loop)).toThrow('kernel looping has a loop; state in `serial`');
    expect(build(loop, 12).serial).toBe(12);
  },
);

test('a kernel without a loop need not say anything', () => expect(build('let before = 1;').serial).toBe(1));

test('the units that an invocation of a software adapter walks are no loop over memory', () => {
  const unit = () => {
    const k = kernelBuilder('copy', { ...defaultTarget, family: 'cpu' });
    const [X, Y] = [k.read(scratch([64], 'f32')), k.write(scratch([64], 'f32'))];
    return unitKernel(k, { units: 64, body: `  ${Y}[i] = ${X}[i];` });
  };
  expect(unit()).toMatchObject({ serial: 1, kind: 'elementwise', bytes: 512 });
});

test('bytes are those that are touched, and twice those that are read and overwritten', () => {
  const k = kernelBuilder('some', defaultTarget);
  const [a, b, c] = [scratch([100], 'f32'), scratch([100], 'f16'), scratch([10], 'u32')];
  k.read(a);
  k.update(b);
  k.write(c);
  k.read(c);
  const touched = new Map([[a, 7]]);
  expect(k.build({ body: '', workgroupSize: 64, workgroups: 1, touched }).bytes).toBe(4 * 7 + 2 * 100 * 2 + 4 * 10 * 2);
});

test('kernels state the size of their subgroups where the driver would take one of several', async (context) => {
  await using gpu = await openGpu({ target: { family: 'gpu', statesSubgroupSize: true } });
  const { subgroupSize } = gpu.target;
  const isOffered = gpu.device.features.has('subgroup-size-control' as GPUFeatureName);
  context.skip(subgroupSize === undefined || !isOffered, 'the adapter has subgroups of no or of any size');
  const plan = planStep(gpu.target, {}, (_, { x }) => softmax(x!), {
    batch: { x: { shape: [3, subgroupSize!], dtype: 'f32' } },
  });
  const texts = plan.steps.map((step) => (step.kind === 'kernel' ? step.kernel.wgsl : ''));
  expect(texts.join('\n')).toContain(`@workgroup_size(${subgroupSize}) @subgroup_size(${subgroupSize})`);
  await checkOp(gpu, softmax, [{ shape: [3, subgroupSize!] }]);
});
