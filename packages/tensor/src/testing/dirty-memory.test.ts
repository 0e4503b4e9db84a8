import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../device/gpu';
import type { Op } from '../graph/op';
import { record1 } from '../graph/record';
import { kernelBuilder } from '../kernels/kernel-builder';
import { openGpu } from '../node';
import { max } from '../ops/extrema';
import { checkOp } from './check-op';
import { dirty } from './dirty-memory';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ target: { family: 'gpu', subgroupSize: undefined }, robustness: false });
});
afterAll(() => gpu.dispose());

/** x through workgroup memory; `writes` of its 64 invocations write to it. */
const throughMemory = (writes: number): Op<object> => ({
  name: 'throughMemory',
  infer: ([x]) => [x!],
  reference: ([x]) => [x!.data],
  lower({ inputs: [x], outputs: [out], target }) {
    const k = kernelBuilder('throughMemory', target);
    const [X, O] = [k.read(x!), k.write(out!)];
    return [
      k.build({
        declarations: 'var<workgroup> tile: array<array<f32, 8>, 8>;',
        body: `
  if (lane < ${k.uniform(writes)}) { tile[lane / 8u][lane % 8u] = ${X}[lane]; }
  workgroupBarrier();
  ${O}[lane] = tile[lane / 8u][lane % 8u];`,
        workgroupSize: 64,
        workgroups: 1,
      }),
    ];
  },
});

test('a kernel that reads workgroup memory that nobody wrote is found by checkOp', async () => {
  const values = new Float32Array(64);
  const check = (writes: number) =>
    checkOp(gpu, (x) => record1(throughMemory(writes), [x], {}), [{ shape: [64], values, differentiate: false }]);
  await check(64);
  // what was not written would be zero, and right
  for (const writes of [63, 62, 61]) await expect(check(writes)).rejects.toThrow(/output 0/);
});

test('one that writes it first is right without zeroing', async () => {
  await checkOp(gpu, (x) => max(x, [1]), [{ shape: [3, 300] }]);
});

test('vectors, halves and single values are filled too; what has no workgroup memory stays as it is', () => {
  const main = '@compute @workgroup_size(64)\nfn main(@builtin(local_invocation_index) lane: u32) {\n}';
  const filled = dirty(`var<workgroup> a: array<vec4<f16>, 10>;\nvar<workgroup> b: vec2<u32>;\n${main}`);
  expect(filled).toContain('dirty < 10u; dirty += 64u) { a[dirty] = vec4<f16>(bitcast<vec2<f16>>(dirt(dirty)).x); }');
  expect(filled).toContain('b = vec2<u32>(u32(dirt(lane)));');
  expect(dirty(main)).toBe(main);
  expect(() => dirty(`var<workgroup> a: Pair;\n${main}`)).toThrow(/type Pair/);
});
