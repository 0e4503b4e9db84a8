import { readdirSync } from 'node:fs';
import { defineConfig } from 'tsup';
import base from '../../tsup.base';

// Each command is an entry of its own: the program finds them by reading the folder.
const commands = readdirSync('src/commands').filter((name) => !name.includes('.test.'));

export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/cli.ts', ...commands.map((name) => `src/commands/${name}`)],
  dts: { entry: 'src/index.ts', compilerOptions: { ignoreDeprecations: '6.0' } },
});
