/**
 * Kernels on subgroup matrices run on real ones: those of a newer Mesa than the system's, which computes them on the processor (`newer-mesa.ts`). All tests
 * whose name says "on subgroup matrices".
 */
import { join } from 'node:path';
import { filesBelow } from '../bundle/contents';
import { NoNewerMesa } from './errors';
import { nodeOnNewerMesa } from './newer-mesa';
import { readText, root, run } from './workspace';

const TESTS = 'on subgroup matrices';
// most of it is compiling, which a busy machine takes several times as long for
const SECONDS = 1200;

export async function checkMatrices(): Promise<string[] | { skipped: string }> {
  try {
    const node = await nodeOnNewerMesa();
    return await runTests(node);
  } catch (error) {
    if (error instanceof NoNewerMesa) return { skipped: error.message };
    throw error;
  }
}

async function runTests(node: string): Promise<string[]> {
  const files = filesBelow(join(root, 'packages'))
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => `packages/${path}`)
    .filter((path) => new RegExp(`\\b(test|describe).*'[^']*${TESTS}`).test(readText(path)));
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files, '--testNamePattern', TESTS];
  const { ok, output } = await run(node, args, { timeout: 1000 * SECONDS });
  const [, passed] = /^(\d+) passed, 0 failed/m.exec(output) ?? [];
  return ok && Number(passed) > 0 ? [] : [output.trim()];
}
