import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { closingReporter } from './test/support/reporter.ts';

// Tests read the packages' sources, so that no build stands between an edit and its test.
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const packages = readdirSync(here('packages'));

export default defineConfig({
  resolve: {
    alias: [
      { find: '@franca/sinkhorn/arrays', replacement: here('packages/sinkhorn/src/arrays.ts') },
      { find: '@franca/tensor/node', replacement: here('packages/tensor/src/node.ts') },
      { find: '@franca/evals/node', replacement: here('packages/evals/src/node.ts') },
      { find: '@franca/viz/node', replacement: here('packages/viz/src/node.ts') },
      { find: '@franca/tensor/testing', replacement: here('packages/tensor/src/testing.ts') },
      ...packages.map((name) => ({ find: `@franca/${name}`, replacement: here(`packages/${name}/src/index.ts`) })),
    ],
  },
  test: {
    include: [
      '{packages,apps}/*/{src,test}/**/*.test.ts',
      'examples/**/*.test.ts',
      'bench/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    reporters: ['default', closingReporter()],
    pool: 'forks',
    maxWorkers: 2,
    // Two workers share the processor; more threads in each driver would only get in each other's way.
    env: { LP_NUM_THREADS: process.env.LP_NUM_THREADS ?? String(Math.ceil(availableParallelism() / 2)) },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
