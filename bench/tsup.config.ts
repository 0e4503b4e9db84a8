import { defineConfig } from 'tsup';
import base from '../tsup.base';

// The campaign, which runs on machines that have nothing but a bundle; the other benchmarks run from their sources.
export default defineConfig({ ...base, entry: { campaign: 'src/campaign/main.ts' }, dts: false, sourcemap: false });
