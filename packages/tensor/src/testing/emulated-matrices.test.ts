import { afterAll, describe, expect, test } from 'vitest';
import { range } from '../base/whole-numbers';
import { GPU_BUFFER_USAGE } from '../device/flags';
import type { Gpu } from '../device/gpu';
import { withoutSubgroupMatrices } from './emulated-matrices';
import { openMatrixGpu } from './matrix-gpu';

/** What the input holds: quarters, which are exact in f16. */
const value = (i: number): number => (i % 61) / 4;

/** Bits of a half, of a quarter of a whole number. */
function halfBits(x: number): number {
  if (x === 0) return 0;
  const exponent = Math.floor(Math.log2(x));
  return ((exponent + 15) << 10) | ((x / 2 ** exponent - 1) * 1024);
}

/** Runs one subgroup. In scope: the input `A`, 512 halves as words of eight, and `O`, an array of `output`; returns the first `count` floats of that. */
async function run(
  { device, ...gpu }: Pick<Gpu, 'device' | 'createBuffer' | 'destroyBuffer' | 'readBytes' | 'target'>,
  body: string,
  { declarations = '', output = 'f32', count = 64 } = {},
): Promise<number[]> {
  const code = `enable chromium_experimental_subgroup_matrix; enable f16; enable subgroups;
@group(0) @binding(0) var<storage, read> A: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> O: array<${output}>;
${declarations}
@compute @workgroup_size(${gpu.target.subgroupSize}) fn main(@builtin(local_invocation_index) lane: u32) {
  ${body}
}`;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const usage = GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_DST | GPU_BUFFER_USAGE.COPY_SRC;
  const buffers = [gpu.createBuffer('A', 1024, usage), gpu.createBuffer('O', 1024, usage)] as const;
  device.queue.writeBuffer(
    buffers[0],
    0,
    Uint16Array.from(range(512), (i) => halfBits(value(i))),
  );
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const bytes = await gpu.readBytes(buffers[1], 0, 4 * count);
  for (const buffer of buffers) gpu.destroyBuffer(buffer);
  return [...new Float32Array(bytes)];
}

type Matrix = (row: number, column: number) => number;

/** Their product by rows. */
const product = (left: Matrix, right: Matrix, [M, N, K] = [8, 8, 8]): number[] =>
  range(M!).flatMap((row) =>
    range(N!).map((column) => range(K!).reduce((sum, k) => sum + left(row, k) * right(k, column), 0)),
  );
const byRows: Matrix = (row, column) => value(8 * row + column);
const byColumns: Matrix = (row, column) => byRows(column, row);

const LEFT = 'subgroup_matrix_left<f16, 8, 8>';
const RIGHT = 'subgroup_matrix_right<f16, 8, 8>';
const RESULT = 'subgroup_matrix_result<f32, 8, 8>';
const load = (type: string, from: string, major = 'row'): string =>
  `subgroupMatrixLoad<${type}, ${major}_major>(&${from})`;
const multiply = (from: string, major?: string): string =>
  `let l = ${load(LEFT, from, major)}; let r = ${load(RIGHT, from, major)}; var c = ${RESULT}();
  c = subgroupMatrixMultiplyAccumulate(l, r, c);`;
const half = (i: string): string => `unpack2x16float(A[${i} / 8u][${i} / 2u % 4u])[${i} % 2u]`;
const loop = (count: number, body: string): string =>
  `for (var i = lane; i < ${count}u; i += 8u) { ${body} } workgroupBarrier();`;

// of the adapter itself where it has matrices, so that these and the emulated ones must agree on the same numbers
describe('WGSL on subgroup matrices of 8x8x8', async () => {
  const gpu = await openMatrixGpu();
  afterAll(() => gpu.dispose());
  const [config] = gpu.target.subgroupMatrices;
  const known = config?.M === 8 && config.N === 8 && config.K === 8;

  test
    .skipIf(!known)
    .each<[name: string, expected: number[], body: string, options?: { declarations?: string; output?: string }]>([
      [
        'load words of a workgroup and store floats',
        product(byRows, byRows),
        `${loop(8, 't[i] = A[i];')} ${multiply('t, 0u, 1u')} subgroupMatrixStore<row_major>(&O, 0u, c, 8u);`,
        { declarations: 'var<workgroup> t: array<vec4<u32>, 64>;' },
      ],
      [
        'load storage by columns and store vectors',
        product(byColumns, byColumns),
        `${multiply('A, 0u, 1u', 'col')} subgroupMatrixStore<row_major>(&O, 0u, c, 2u);`,
        { output: 'vec4<f32>' },
      ],
      [
        'load halves, from an offset on, and store by columns',
        product(
          (i, k) => value(8 + 12 * i + k),
          (k, j) => value(8 + 12 * k + j),
        ),
        `${loop(128, `t[i] = f16(${half('i')});`)} ${multiply('t, 8u, 12u')}
      subgroupMatrixStore<col_major>(&s, 0u, c, 8u); workgroupBarrier();
      ${loop(64, 'O[i] = s[i % 8u * 8u + i / 8u];')}`,
        { declarations: 'var<workgroup> t: array<f16, 128>; var<workgroup> s: array<f32, 64>;' },
      ],
      [
        'load vectors of halves of one of two tiles, and store words',
        product(byRows, byRows),
        `${loop(16, `t[1][i] = vec4<f16>(${range(4).map((j) => `f16(${half(`(4u * i + ${j}u)`)})`)});`)}
      ${multiply('t[A[0].x >> 29u], 0u, 2u')}
      subgroupMatrixStore<row_major>(&s, 0u, c, 2u); workgroupBarrier();
      ${loop(16, 'O[i] = bitcast<vec4<f32>>(s[i]);')}`,
        {
          declarations: 'var<workgroup> t: array<array<vec4<f16>, 16>, 2>; var<workgroup> s: array<vec4<u32>, 16>;',
          output: 'vec4<f32>',
        },
      ],
      [
        'are values: of arrays, and of tiles that are overwritten',
        product(byRows, byRows).map((x) => 2 * x),
        `${loop(8, 't[i] = A[i];')}
      var l: array<${LEFT}, 2>; var c: array<${RESULT}, 2>;
      for (var i = 0u; i < 2u; i++) { l[i] = ${load(LEFT, 't, 0u, 1u')}; }
      let r = ${load(RIGHT, 't, 0u, 1u')};
      workgroupBarrier();
      ${loop(8, 't[i] = vec4<u32>();')}
      c[1] = subgroupMatrixMultiplyAccumulate(l[0], r, c[1]);
      var d = c[1];
      c[1] = ${RESULT}();
      d = subgroupMatrixMultiplyAccumulate(l[1], r, d);
      subgroupMatrixStore<row_major>(&O, 0u, d, 8u);`,
        { declarations: 'var<workgroup> t: array<vec4<u32>, 64>;' },
      ],
      [
        'load the sums that they go on from',
        product(byRows, byRows).map((x) => 2 * x),
        `${multiply('A, 0u, 1u')} subgroupMatrixStore<row_major>(&s, 0u, c, 2u); workgroupBarrier();
      var e = ${load(RESULT, 's, 0u, 2u')};
      e = subgroupMatrixMultiplyAccumulate(l, r, e);
      subgroupMatrixStore<row_major>(&O, 0u, e, 8u);`,
        { declarations: 'var<workgroup> s: array<vec4<f32>, 16>;' },
      ],
    ])('%s', async (_, expected, body, options) => {
    expect(await run(gpu, body, options)).toEqual(expected);
  });
});

describe.each([
  [16, 16, 16],
  [16, 8, 16],
  [16, 8, 8],
])('WGSL on subgroup matrices of %ix%ix%i', async (M, N, K) => {
  const gpu = await openMatrixGpu({ M, N, K });
  afterAll(() => gpu.dispose());

  test.skipIf(gpu.target.subgroupMatrices.length === 0)('left by rows, right by columns', async () => {
    const body = `let l = ${load(`subgroup_matrix_left<f16, ${K}, ${M}>`, `A, 0u, ${K / 8}u`)};
    let r = ${load(`subgroup_matrix_right<f16, ${N}, ${K}>`, `A, 2u, ${K / 8}u`, 'col')};
    var c = subgroup_matrix_result<f32, ${N}, ${M}>();
    c = subgroupMatrixMultiplyAccumulate(l, r, c);
    subgroupMatrixStore<row_major>(&O, 0u, c, ${N}u);`;
    const [left, right]: Matrix[] = [(i, k) => value(i * K + k), (k, j) => value(16 + j * K + k)];
    expect(await run(gpu, body, { count: M * N })).toEqual(product(left!, right!, [M, N, K]));
  });
});

describe('WGSL', () => {
  test('without matrices stays as it is', () => {
    expect(withoutSubgroupMatrices('fn main() {}', 8)).toBe('fn main() {}');
  });
  test('of what is not emulated is refused', () => {
    expect(() => withoutSubgroupMatrices(`let c = subgroupMatrixScalarMultiply(${RESULT}(), 2.0);`, 8)).toThrow(
      'subgroupMatrixScalarMultiply',
    );
    expect(() =>
      withoutSubgroupMatrices(`var l = ${LEFT}(); var c = subgroup_matrix_result<f32, 8, 16>();`, 8),
    ).toThrow('M = 8 and 16');
  });
});
