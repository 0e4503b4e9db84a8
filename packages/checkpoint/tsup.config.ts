import { defineConfig } from 'tsup';
import base from '../../tsup.base';

// `bytes` is for browsers: nothing of Node.
export default defineConfig({ ...base, entry: ['src/index.ts', 'src/bytes.ts'] });
