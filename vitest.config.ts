import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';
import { closingReporter } from './test/support/reporter.ts';

const cores = availableParallelism();
// Beyond a dozen, workers that share one GPU only wait for it.
const maxWorkers = Math.min(cores, 12);

const packages = fileURLToPath(new URL('packages', import.meta.url));

/** Files that need a process of their own: they replace a module that others use too, or tell Mesa's driver how to compile, which reads it once a process. */
const ALONE = '**/*.alone.*.ts';

const TESTS = [
  '{packages,apps}/*/{src,test}/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/**/*.test.ts',
  'test/**/*.test.ts',
];

const config: ViteUserConfig = defineConfig({
  resolve: {
    // Tests read the packages' sources, so that no build stands between an edit and its test.
    alias: [
      { find: /^@franca\/([^/]+)$/, replacement: `${packages}/$1/src/index.ts` },
      {
        find: /^@franca\/([^/]+)\/(node|testing|arrays|browser|bytes|pixels)$/,
        replacement: `${packages}/$1/src/$2.ts`,
      },
    ],
  },
  test: {
    reporters: ['default', closingReporter()],
    pool: 'forks',
    maxWorkers,
    // Files that follow each other in a process find its modules loaded, which is two thirds of the time of a small one.
    projects: [
      {
        extends: true,
        test: { name: 'shared', include: TESTS, exclude: [...configDefaults.exclude, ALONE], isolate: false },
      },
      { extends: true, test: { name: 'alone', include: [ALONE], isolate: true } },
    ],
    setupFiles: ['test/support/leave-nothing.ts'],
    env: {
      // Workers share the processor; more threads in each driver would only get in each other's way.
      LP_NUM_THREADS: process.env.LP_NUM_THREADS ?? String(Math.ceil(cores / maxWorkers)),
      // Measuring kernels is not what tests are for, and takes minutes on a GPU.
      FRANCA_TUNE: process.env.FRANCA_TUNE ?? 'off',
    },
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});

export default config;
