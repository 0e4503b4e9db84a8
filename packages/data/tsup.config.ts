import { defineConfig } from 'tsup';
import base from '../../tsup.base';

// The program of the threads that render the generated world is loaded by its address, beside the rest.
export default defineConfig({
  ...base,
  entry: { index: 'src/index.ts', pixels: 'src/pixels.ts', 'render-program': 'src/world/render-program.ts' },
  dts: {
    entry: ['src/index.ts', 'src/pixels.ts'],
    compilerOptions: { ignoreDeprecations: '6.0' },
    // what GPUDevice is
    banner: '/// <reference types="@franca/tensor" />',
  },
});
