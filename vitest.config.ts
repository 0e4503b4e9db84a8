import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests read the packages' sources, so that no build stands between an edit and its test.
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const packages = readdirSync(here('packages'));

export default defineConfig({
  resolve: {
    alias: [
      { find: '@franca/tensor/node', replacement: here('packages/tensor/src/node.ts') },
      { find: '@franca/tensor/testing', replacement: here('packages/tensor/src/testing.ts') },
      ...packages.map((name) => ({ find: `@franca/${name}`, replacement: here(`packages/${name}/src/index.ts`) })),
    ],
  },
  test: {
    include: ['{packages,apps}/*/{src,test}/**/*.test.ts', 'examples/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
