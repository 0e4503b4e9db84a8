#!/usr/bin/env node
/**
 * Every figure that a GPU can give, in one command: see bench/README.md. In a clone the machine is set up first and the campaign runs from
 * its sources; in an offline bundle it runs as it was built.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, 'bench/src/campaign/main.ts');

if (existsSync(sources)) {
  const { passOn } = await import('./setup/pass-on.mjs');
  const { exitWith, setUp } = await import('./setup/set-up.mjs');
  await exitWith(async () => {
    const env = { ...process.env, ...(await setUp()), TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') };
    const tsx = ['--import', import.meta.resolve('tsx')];
    return passOn([process.execPath, ...tsx, sources, ...process.argv.slice(2)], { env });
  });
} else {
  await import('../bench/dist/campaign.js');
}
