/** What only shows in a process of its own: that it ends, and that another one computes the same bits. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const source = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'franca-tensor-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs TypeScript in a new Node process; one that does not end by itself is killed and fails. */
function run(name: string, body: string): { status: number | null; stdout: string; stderr: string } {
  const file = join(folder, `${name}.mts`);
  const imports = `import { add, compile, createState, randomNormal, softmax, sum, TensorError } from '${source('index.ts')}';
import { openGpu } from '${source('node.ts')}';\n`;
  writeFileSync(file, imports + body);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    encoding: 'utf8',
    cwd: source('.'),
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

test('a process whose device is lost says so and ends, disposed or not', () => {
  for (const end of ['await gpu.dispose();', '']) {
    const { status, stdout } = run(
      'lost',
      `const gpu = await openGpu();
const state = createState(gpu, { w: { a: { shape: [4], dtype: 'f32' } } });
const step = await compile(gpu, (s) => ({ y: add(s.w!.tensors.a!, 1) }), { state });
step.run();
gpu.device.destroy();
try {
  step.run();
  await step.read('y');
} catch (error) {
  console.log((error as TensorError).code, (error as TensorError).message);
}
${end}`,
    );
    expect(stdout).toMatch(/^device-lost the GPU device was lost \(destroyed\)/);
    expect(status).toBe(0);
  }
});

test('an error while a GPU is in use ends the process with that error', () => {
  const { status, stderr } = run(
    'throws',
    `{
  const gpu = await openGpu();
  try {
    using state = createState(gpu, { w: { a: { shape: [4], dtype: 'f32' } } });
    using step = await compile(gpu, (s, { x }) => ({ y: add(s.w!.tensors.a!, x) }), {
      state,
      batch: { x: { shape: [3], dtype: 'f32' } },
    });
  } finally {
    await gpu.dispose();
  }
}`,
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/add: shapes \[4\] and \[3\] do not broadcast\n {4}at .*throws\.mts:\d+/);
  expect(stderr).not.toMatch(/were alive/);
});

test('two processes with one seed compute the same bits', () => {
  const body = `const gpu = await openGpu();
{
  using step = await compile(gpu, (_, { seed }) => ({ y: softmax(randomNormal(seed, [64, 97], 3)) }), {
    batch: { seed: { shape: [2], dtype: 'u32' } },
  });
  step.run({ seed: [1, 2] });
  console.log(Buffer.from(new Uint8Array((await step.read('y')).buffer)).toString('base64'));
}
await gpu.dispose();`;
  const [first, second] = [run('bits', body), run('bits', body)];
  expect(first.stdout.length).toBeGreaterThan(64 * 97 * 4);
  expect(second.stdout).toBe(first.stdout);
});
