import { defineConfig } from 'tsup';
import base from '../../tsup.base';

// The declarations speak of GPUDevice and Symbol.dispose: they bring the libraries that say what these are, whatever the reader's settings.
export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/node.ts', 'src/browser.ts', 'src/testing.ts'],
  dts: {
    compilerOptions: { ignoreDeprecations: '6.0' },
    banner: '/// <reference lib="dom" />\n/// <reference lib="esnext.disposable" />',
  },
});
