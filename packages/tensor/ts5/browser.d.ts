// TypeScript before 6 does not know the names of WebGPU by itself.
import '@webgpu/types';

export * from '../dist/browser.js';
