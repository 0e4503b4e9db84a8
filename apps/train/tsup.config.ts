import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';
import base from '../../tsup.base';

// Each command and each evaluation is an entry of its own: the program finds them by reading their folders.
const found = ['src/commands', 'src/eval/tasks'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => !name.includes('.test.'))
    .map((name) => `${folder}/${name}`),
);

export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/cli.ts', ...found],
  dts: { entry: 'src/index.ts', compilerOptions: { ignoreDeprecations: '6.0' } },
});
