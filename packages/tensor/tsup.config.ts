import { defineConfig } from 'tsup';
import base from '../../tsup.base';

export default defineConfig({ ...base, entry: ['src/index.ts', 'src/node.ts', 'src/browser.ts', 'src/testing.ts'] });
